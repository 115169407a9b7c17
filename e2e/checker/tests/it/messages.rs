//! Promises about events, queues and dead letters.

use checker::Class::{Contradiction, Duplicated, Lost, Unexpected};
use checker::Promise::{
    DeadLettersArePoison, NothingLeftBehind, TopologyComesBack, VersionsInOrder,
};
use checker::check;
use uuid::Uuid;

use crate::found_after;
use crate::healthy::{PAID, healthy};

#[test]
fn an_event_that_was_never_written_is_lost() {
    let found = found_after(|o| _ = o.order_events.remove(1));
    assert_eq!(found, [(VersionsInOrder, Lost)]);
}

#[test]
fn an_event_that_was_written_under_two_ids_is_a_duplicate() {
    let found = found_after(|o| {
        let mut again = o.order_events[0].clone();
        again.id = Uuid::now_v7();
        let handled = o
            .handled
            .iter()
            .find(|one| one.message_id == o.order_events[0].id);
        let mut handled = handled.unwrap().clone();
        handled.message_id = again.id;
        o.handled.push(handled);
        o.order_events.insert(0, again);
    });
    assert_eq!(found, [(VersionsInOrder, Duplicated)]);
}

#[test]
fn a_copy_of_a_record_with_its_id_is_only_counted() {
    let mut observed = healthy();
    observed.order_events.push(observed.order_events[0].clone());
    let verdict = check(&observed);
    assert!(verdict.is_kept(), "{:?}", verdict.violations);
    assert_eq!(verdict.repeated_records, 1);
}

#[test]
fn an_event_that_did_not_happen_is_unexpected() {
    let found = found_after(|o| {
        let order_id = o.orders[PAID].id;
        for event in o
            .order_events
            .iter_mut()
            .filter(|one| one.order_id == order_id)
        {
            event.order_id = Uuid::now_v7();
        }
    });
    assert!(found.contains(&(VersionsInOrder, Unexpected)), "{found:?}");
}

#[test]
fn events_that_were_written_in_the_wrong_order_are_a_contradiction() {
    let found = found_after(|o| {
        o.order_events.swap(0, 1);
        // The consumer did as the topic says.
        o.handled[0].committed_at = o.handled[1].committed_at;
    });
    assert_eq!(found, [(VersionsInOrder, Contradiction)]);
}

#[test]
fn events_of_one_order_in_two_partitions_are_a_contradiction() {
    let found = found_after(|o| o.order_events[0].partition = 7);
    assert_eq!(found, [(VersionsInOrder, Contradiction)]);
}

#[test]
fn events_that_were_consumed_in_the_wrong_order_are_a_contradiction() {
    let found = found_after(|o| o.handled[0].committed_at = 10_000);
    assert_eq!(found, [(VersionsInOrder, Contradiction)]);
}

#[test]
fn an_event_that_a_consumer_never_handled_is_lost() {
    let found = found_after(|o| _ = o.handled.pop());
    assert_eq!(found, [(VersionsInOrder, Lost)]);
}

#[test]
fn a_row_in_an_outbox_is_left_behind() {
    let found = found_after(|o| _ = o.outboxes.insert("order".to_owned(), 1));
    assert_eq!(found, [(NothingLeftBehind, Contradiction)]);
}

#[test]
fn a_message_in_a_queue_is_left_behind() {
    let found = found_after(|o| o.queues[0].messages = 1);
    assert_eq!(found, [(NothingLeftBehind, Contradiction)]);
}

#[test]
fn a_record_that_a_group_has_not_read_is_left_behind() {
    let found = found_after(|o| o.lags[0].records = 1);
    assert_eq!(found, [(NothingLeftBehind, Contradiction)]);
}

#[test]
fn poison_without_a_dead_letter_is_lost() {
    let found = found_after(|o| o.dead_letters.clear());
    assert_eq!(found, [(DeadLettersArePoison, Lost)]);
}

#[test]
fn a_dead_letter_of_a_good_message_is_unexpected() {
    let found = found_after(|o| {
        let mut letter = o.dead_letters[0].clone();
        letter.message_id = "good".to_owned();
        o.dead_letters.push(letter);
    });
    assert_eq!(found, [(DeadLettersArePoison, Unexpected)]);
}

#[test]
fn a_dead_letter_of_another_consumer_is_unexpected() {
    let found = found_after(|o| {
        let mut letter = o.dead_letters[0].clone();
        letter.consumer = "order.stock-events".to_owned();
        o.dead_letters.push(letter);
    });
    assert_eq!(found, [(DeadLettersArePoison, Unexpected)]);
}

#[test]
fn poison_that_may_never_have_arrived_may_be_a_dead_letter_or_not() {
    let found = found_after(|o| {
        let mut letter = o.dead_letters[0].clone();
        letter.message_id = "perhaps".to_owned();
        o.dead_letters.push(letter);
    });
    assert_eq!(found, []);
}

#[test]
fn a_copy_of_a_dead_letter_is_only_counted() {
    let mut observed = healthy();
    observed.dead_letters.push(observed.dead_letters[0].clone());
    let verdict = check(&observed);
    assert!(verdict.is_kept(), "{:?}", verdict.violations);
    assert_eq!(verdict.repeated_dead_letters, 1);
}

#[test]
fn a_queue_that_was_deleted_and_not_declared_again_is_lost() {
    let found = found_after(|o| o.declared.clear());
    assert_eq!(found, [(TopologyComesBack, Lost)]);
}

#[test]
fn what_was_declared_in_the_meantime_is_fine() {
    let found = found_after(|o| _ = o.declared.insert("the exchange of a stranger".to_owned()));
    assert_eq!(found, []);
}
