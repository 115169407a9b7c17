use std::thread::sleep;

use uuid::Uuid;

use super::*;

const FOREVER: Duration = Duration::from_secs(3600);

fn row(seq: i64, shard: i16) -> Row {
    Row {
        seq,
        shard,
        message_id: Uuid::now_v7(),
        destination: "tests".into(),
        routing_key: "test".into(),
        message_type: "test.row.v1".into(),
        traceparent: None,
        body: vec![0; 1_000],
        created_at: jiff::Timestamp::now().into(),
        attempts: 0,
    }
}

/// Of a relay that holds the shards 1 and 2.
fn handover() -> Handover {
    let handover = Handover::new(Duration::ZERO);
    handover.hold(&[1, 2], Instant::now() + FOREVER);
    handover
}

fn taken(handover: &Handover, found: &[(i64, i16)]) -> Vec<i64> {
    let found = found.iter().map(|(seq, shard)| row(*seq, *shard)).collect();
    let rows = handover.take(&handover.held(), found, 10);
    rows.iter().map(|row| row.seq).collect()
}

#[test]
fn rows_are_taken_once_they_are_committed_and_in_order_within_their_shard() {
    let handover = handover();
    handover.written(vec![row(10, 1), row(11, 1), row(12, 2)]);
    assert_eq!(taken(&handover, &[]), [0; 0]);
    handover.committed(&[11, 12]);
    assert_eq!(taken(&handover, &[]), [12]);
    handover.done(&[12]);
    handover.committed(&[10]);
    assert_eq!(taken(&handover, &[]), [10, 11]);
}

#[test]
fn what_is_rolled_back_holds_nothing_up() {
    let handover = handover();
    handover.written(vec![row(10, 1), row(11, 1)]);
    handover.committed(&[11]);
    handover.rolled_back(&[10]);
    assert_eq!(taken(&handover, &[]), [11]);
}

#[test]
fn what_was_not_published_is_taken_again_before_what_follows() {
    let handover = handover();
    handover.written(vec![row(10, 1), row(11, 1)]);
    handover.committed(&[10, 11]);
    assert_eq!(taken(&handover, &[]), [10, 11]);
    handover.written(vec![row(12, 1)]);
    handover.committed(&[12]);
    assert_eq!(taken(&handover, &[]), [0; 0]);
    handover.put_back(&[10, 11]);
    assert_eq!(taken(&handover, &[]), [10, 11, 12]);
}

#[test]
fn what_was_found_in_the_table_passes_nothing_older_and_comes_after_what_is_here() {
    let handover = handover();
    handover.written(vec![row(10, 1), row(20, 1), row(30, 2)]);
    handover.committed(&[10]);
    assert_eq!(
        taken(&handover, &[(9, 1), (15, 1), (25, 1), (26, 2)]),
        [9, 10, 15, 26]
    );
    // What had to wait is looked for again.
    assert!(handover.take_look());
    assert!(!handover.take_look());
}

#[test]
fn what_was_handed_over_while_the_table_was_looked_at_is_taken_once() {
    let handover = handover();
    handover.written(vec![row(10, 1), row(20, 2)]);
    handover.committed(&[10]);
    assert_eq!(taken(&handover, &[(10, 1), (20, 2)]), [10]);
}

#[test]
fn what_is_doubtful_is_published_only_if_the_table_has_it() {
    let handover = handover();
    handover.written(vec![row(10, 1), row(11, 1), row(12, 1)]);
    handover.committed(&[12]);
    handover.doubtful(&[10, 11]);
    assert_eq!(taken(&handover, &[]), [0; 0]);
    let (known, doubtful) = handover.known_and_doubtful();
    assert_eq!((&*known, &*doubtful), (&[12][..], &[10, 11][..]));
    handover.looked(&doubtful);
    assert_eq!(taken(&handover, &[(11, 1)]), [11, 12]);
}

#[test]
fn after_a_doubt_the_shard_has_to_settle_again() {
    let handover = Handover::new(Duration::from_millis(50));
    handover.hold(&[1, 2], Instant::now() + FOREVER);
    handover.written(vec![row(10, 1)]);
    sleep(Duration::from_millis(60));
    assert_eq!(handover.open(), [1, 2]);
    handover.doubtful(&[10]);
    assert_eq!(handover.open(), [2]);
    assert_eq!(handover.held(), [1, 2]);
}

#[test]
fn nothing_is_handed_over_where_there_is_no_room() {
    let handover = handover();
    let bytes = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    handover.written((0..bytes(ROWS - 1)).map(|seq| row(seq, 1)).collect());
    assert_eq!(handover.open(), [1, 2]);
    handover.written(vec![row(bytes(ROWS), 1)]);
    assert_eq!(handover.open(), [0; 0]);
    handover.done(&[1]);
    assert_eq!(handover.open(), [1, 2]);
    let mut large = row(1, 1);
    large.body = vec![0; BYTES];
    handover.written(vec![large]);
    assert_eq!(handover.open(), [0; 0]);
}

#[test]
fn what_was_handed_over_for_a_shard_is_left_to_whoever_holds_it_next() {
    let handover = handover();
    handover.written(vec![row(10, 1), row(11, 2)]);
    handover.committed(&[10, 11]);
    handover.hold(&[2], Instant::now() + FOREVER);
    assert_eq!(taken(&handover, &[]), [11]);
    handover.done(&[11]);
    handover.hold(&[1, 2], Instant::now() + FOREVER);
    assert_eq!(handover.known_and_doubtful().0, [0; 0]);
}

#[test]
fn a_lease_that_has_run_out_in_between_is_a_new_one() {
    let handover = handover();
    handover.written(vec![row(10, 1)]);
    handover.committed(&[10]);
    handover.hold(&[1, 2], Instant::now());
    assert_eq!(handover.held(), [0; 0]);
    handover.hold(&[1, 2], Instant::now() + FOREVER);
    assert_eq!(taken(&handover, &[]), [0; 0]);
}
