use uuid::Uuid;

use super::*;

fn row(routing_key: &str) -> Row {
    Row {
        seq: 1,
        shard: 0,
        message_id: Uuid::now_v7(),
        destination: "tests".into(),
        routing_key: routing_key.into(),
        message_type: "test.row.v1".into(),
        traceparent: None,
        body: Vec::new(),
        created_at: jiff::Timestamp::now().into(),
        attempts: 0,
    }
}

fn closed() -> Result<(), PublishError> {
    Err(PublishError::Closed("unroutable".into()))
}

/// The broker answers rows for `tests:key`.
fn note(refused: &mut Refused, results: &[Result<(), PublishError>], is_sample: bool) {
    let rows: Vec<Row> = results.iter().map(|_| row("key")).collect();
    refused.note(Transport::RabbitMq, &rows, results, is_sample);
}

fn portion(refused: &mut Refused) -> Option<i64> {
    let (_, portions) = refused.found(vec!["tests:key".into()], 500);
    portions.first().copied()
}

#[test]
fn an_address_that_takes_nothing_is_not_asked_again_for_a_while() {
    let mut refused = Refused::default();
    note(&mut refused, &[closed(), closed()], false);
    assert_eq!(refused.closed(), ["tests:key"]);
    assert_eq!(portion(&mut refused), None);
    // It is due some time, and whatever is refused meanwhile does not change when.
    let next_try = |refused: &Refused| refused.addresses["tests:key"].next_try;
    let before = next_try(&refused);
    note(&mut refused, &[closed()], false);
    assert_eq!(next_try(&refused), before);
}

#[test]
fn what_is_not_known_is_tried_by_one_row() {
    assert_eq!(portion(&mut Refused::default()), Some(1));
}

#[test]
fn an_address_that_takes_messages_again_gets_more_and_more_of_them() {
    let mut refused = Refused::default();
    note(&mut refused, &[closed()], false);
    for expected in [2, 4, 8] {
        note(&mut refused, &[Ok(())], true);
        assert_eq!(portion(&mut refused), Some(expected));
        assert!(refused.closed().is_empty());
    }
    note(&mut refused, &[Ok(()), closed()], true);
    assert_eq!(refused.closed(), ["tests:key"]);
    assert_eq!(portion(&mut refused), None);
}

#[test]
fn a_relay_that_has_not_seen_the_refusals_gets_more_and_more_taken_as_well() {
    let mut refused = Refused::default();
    for expected in [1, 2, 4, 8] {
        assert_eq!(portion(&mut refused), Some(expected));
        note(&mut refused, &[Ok(())], true);
        assert!(refused.until_due().is_zero());
    }
}

#[test]
fn an_address_is_remembered_for_as_long_as_it_is_tried_again() {
    let mut refused = Refused::default();
    note(&mut refused, &[closed()], false);
    for one in refused.addresses.values_mut() {
        one.last_seen -= 2 * LINE;
    }
    note(&mut refused, &[Ok(())], true);
    assert_eq!(portion(&mut refused), Some(2));
}

#[test]
fn an_address_that_takes_new_messages_is_tried_at_once() {
    let mut refused = Refused::default();
    note(&mut refused, &[closed()], false);
    note(&mut refused, &[Ok(())], false);
    assert_eq!(portion(&mut refused), Some(1));
}

#[test]
fn a_message_that_is_refused_alone_closes_nothing_and_waits_among_those_that_are_taken() {
    let mut refused = Refused::default();
    let too_large = Err(PublishError::Refused("too large".into()));
    note(&mut refused, &[Ok(()), too_large], false);
    assert!(refused.closed().is_empty());
    note(&mut refused, &[Ok(())], false);
    assert_eq!(portion(&mut refused), None);
}

#[test]
fn a_message_that_is_refused_alone_is_asked_for_less_often_whatever_else_is_taken() {
    let mut refused = Refused::default();
    let too_large = || Err(PublishError::Refused("too large".into()));
    note(&mut refused, &[Ok(()), too_large()], false);
    for failures in 1..5 {
        note(&mut refused, &[too_large()], true);
        note(&mut refused, &[Ok(()), Ok(())], false);
        assert_eq!(refused.addresses["tests:key"].failures, failures);
    }
}

#[test]
fn a_broker_that_says_nothing_changes_nothing() {
    let mut refused = Refused::default();
    note(&mut refused, &[closed()], false);
    let silent = Err(PublishError::Unavailable("silent".into()));
    note(&mut refused, &[silent], true);
    assert_eq!(refused.closed(), ["tests:key"]);
}

#[test]
fn the_window_is_shared_by_all_addresses_that_are_due() {
    let mut refused = Refused::default();
    let addresses: Vec<String> = (0..3).map(|number| number.to_string()).collect();
    for address in &addresses {
        refused
            .addresses
            .insert(address.clone(), Address::new(Instant::now()));
    }
    for one in refused.addresses.values_mut() {
        (one.portion, one.next_try) = (500, Instant::now());
    }
    assert_eq!(refused.found(addresses, 8).1, [2, 2, 2]);
}

#[test]
fn addresses_beyond_those_that_are_remembered_share_one_line() {
    let mut refused = Refused::default();
    for number in 0..MOST + 10 {
        let rows = [row(&number.to_string())];
        refused.note(Transport::RabbitMq, &rows, &[closed()], false);
    }
    assert_eq!(refused.addresses.len(), MOST + 1);
    assert_eq!(refused.addresses[OTHERS].line.unsaid, 9);
}

#[test]
fn one_line_a_minute_tells_of_all_that_was_refused() {
    let (mut line, start) = (Line::default(), Instant::now());
    let after = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(line.refused(500, start), Some(500));
    assert_eq!(line.refused(500, after(1)), None);
    assert_eq!(line.refused(1, after(59)), None);
    assert_eq!(line.refused(2, after(60)), Some(503));
    assert_eq!(line.refused(1, after(61)), None);
}
