use super::*;

/// The age after these observations of time, depth and the broker's counter, the first of which is the first look.
fn age(observations: &[(f64, u64, u64)]) -> Option<Age> {
    flow(observations).age(observations.last()?.0)
}

fn flow(observations: &[(f64, u64, u64)]) -> Flow {
    let (now, depth, acknowledged) = observations[0];
    let mut flow = Flow::new(now, depth, Some(acknowledged));
    for &(now, depth, acknowledged) in &observations[1..] {
        flow.observe(now, depth, Some(acknowledged));
    }
    flow
}

fn exactly(seconds: f64) -> Option<Age> {
    let at_least = false;
    Some(Age { seconds, at_least })
}

fn at_least(seconds: f64) -> Option<Age> {
    let at_least = true;
    Some(Age { seconds, at_least })
}

#[test]
fn an_empty_queue_has_no_age() {
    assert_eq!(age(&[(0.0, 0, 0)]), None);
    assert_eq!(age(&[(0.0, 0, 0), (1.0, 5, 0), (2.0, 0, 5)]), None);
}

#[test]
fn a_message_gets_older_while_nobody_consumes() {
    let arrived = [(0.0, 0, 0), (1.0, 1, 0)];
    assert_eq!(age(&arrived), exactly(0.5));
    let flow = flow(&arrived);
    assert_eq!(flow.age(100.0), exactly(99.5));
}

#[test]
fn the_next_oldest_counts_when_the_oldest_has_left() {
    // Ten a second arrive, and ten leave after five seconds.
    let mut observations: Vec<_> = (0..=5)
        .map(|second| (f64::from(second), second as u64 * 10, 0))
        .collect();
    observations.push((6.0, 50, 10));
    assert_eq!(age(&observations), exactly(4.95));
}

#[test]
fn what_was_there_at_the_first_look_is_at_least_so_old() {
    let looked = [(10.0, 7, 3), (15.0, 9, 5)];
    assert_eq!(age(&looked), at_least(5.0));
    let left = [&looked[..], &[(16.0, 2, 12)]].concat();
    assert_eq!(age(&left).map(|age| age.at_least), Some(false));
}

#[test]
fn a_broker_that_starts_again_counts_from_nothing() {
    let before = [(0.0, 0, 1_000), (1.0, 20, 1_000), (2.0, 20, 1_005)];
    let flow = flow(&[&before[..], &[(9.0, 18, 2), (10.0, 17, 3)]].concat());
    assert_eq!((flow.arrived(), flow.departed()), (25, 8));
    assert_eq!(flow.age(10.0).map(|age| age.at_least), Some(false));
}

#[test]
fn a_counter_that_jumps_is_not_believed() {
    let flow = flow(&[
        (0.0, 0, 0),
        (1.0, 5, 0),
        (2.0, 5, u64::MAX / 2),
        (3.0, 4, u64::MAX / 2 + 1),
    ]);
    assert_eq!((flow.arrived(), flow.departed()), (5, 1));
}

#[test]
fn messages_that_leave_without_an_acknowledgement_are_noticed() {
    // Purged: the counter stays, the queue is shorter.
    let purged = [
        (0.0, 0, 0),
        (1.0, 100, 0),
        (2.0, 0, 0),
        (3.0, 0, 0),
        (4.0, 0, 0),
        (5.0, 10, 0),
    ];
    let flow = flow(&purged);
    assert_eq!((flow.arrived(), flow.departed()), (110, 100));
    assert_eq!(flow.age(5.0), exactly(5.0 - 4.05));
}

#[test]
fn numbers_of_one_queue_may_disagree_for_a_moment() {
    // The depth is known a second before the acknowledgements are.
    let flow = flow(&[
        (0.0, 0, 0),
        (1.0, 100, 0),
        (2.0, 40, 0),
        (3.0, 40, 60),
        (4.0, 0, 60),
        (5.0, 0, 100),
    ]);
    assert_eq!((flow.arrived(), flow.departed()), (100, 100));
}

#[test]
fn a_clock_that_goes_back_takes_nothing_back() {
    let mut flow = flow(&[(100.0, 0, 0), (101.0, 3, 0)]);
    flow.observe(50.0, 4, Some(0));
    assert_eq!(flow.arrived(), 4);
    assert_eq!(flow.age(40.0), exactly(0.0));
    assert!(flow.age(102.0).is_some_and(|age| age.seconds > 1.0));
}

#[test]
fn a_gap_between_two_looks_is_filled_evenly() {
    let flow = flow(&[(0.0, 0, 0), (10.0, 10, 0)]);
    assert_eq!(flow.age(10.0), exactly(9.5));
}

#[test]
fn what_came_while_nobody_looked_for_long_is_at_least_so_old() {
    let flow = flow(&[(0.0, 0, 0), (1.0, 1, 0), (3_600.0, 3, 0)]);
    assert_eq!(flow.age(3_600.0), exactly(3_599.5));
    assert_eq!(flow.age_after(3_600.0, 1), at_least(0.0));
    assert_eq!(flow.age_after(3_605.0, 1), at_least(5.0));
}

#[test]
fn messages_leave_between_two_looks_as_well() {
    let flow = flow(&[(0.0, 0, 0), (1.0, 10, 0), (2.0, 20, 0)]);
    assert_eq!(flow.age_after(3.0, 0), exactly(2.95));
    assert_eq!(flow.age_after(3.0, 10), exactly(1.95));
    assert_eq!(flow.age_after(3.0, 1_000), exactly(1.05));
}

#[test]
fn whoever_comes_after_goes_on_with_the_same_age() {
    let before = flow(&[(0.0, 0, 0), (1.0, 10, 0), (2.0, 15, 5)]);
    let mut after = Flow::resume(before.save());
    assert_eq!(after.age(30.0), before.age(30.0));
    // Ten have left while nobody looked, and five have come.
    after.observe(30.0, 10, Some(15));
    assert_eq!((after.arrived(), after.departed()), (25, 15));
    assert_eq!(after.age(30.0), exactly(28.45));
    // Those who came meanwhile may have come at any time.
    assert_eq!(after.age_after(30.0, 5), at_least(0.0));
}

#[test]
fn a_long_outage_is_remembered_in_bounded_memory() {
    let mut flow = Flow::new(0.0, 0, Some(0));
    for second in 1..=20_000_u32 {
        flow.observe(f64::from(second), u64::from(second) * 100, Some(0));
    }
    assert!(flow.arrivals.len() <= REMEMBERED);
    let age = flow.age(20_000.0).map_or(0.0, |age| age.seconds);
    assert!((19_900.0..=20_000.0).contains(&age), "{age}");
}
