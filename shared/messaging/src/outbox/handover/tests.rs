use uuid::Uuid;

use super::*;

mod leases;

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

/// Of a relay that holds the shards 1 and 2, for which nothing waits in the table.
fn handover() -> Handover {
    let handover = Handover::new();
    hold(&handover, &[1, 2]);
    looked(&handover, Vec::new());
    assert!(handover.take_look());
    handover
}

fn hold(handover: &Handover, shards: &[i16]) {
    handover.hold(shards, Instant::now() + FOREVER);
}

fn written(handover: &Handover, rows: Vec<Row>) {
    handover.written(rows, handover.open().term);
}

fn taken(handover: &Handover) -> Vec<i64> {
    let rows = handover.take(&handover.held(), 10);
    rows.iter().map(|row| row.seq).collect()
}

/// While no other transaction runs.
fn looked(handover: &Handover, found: Vec<Row>) {
    if let Some(term) = handover.has_strangers() {
        let (oldest, next) = (7, 7);
        handover.run(term, &Running { oldest, next });
    }
    handover.looked(&handover.held(), &handover.known(), found, true);
}

#[test]
fn rows_are_taken_once_they_are_committed_and_in_order_within_their_shard() {
    let handover = handover();
    written(&handover, vec![row(10, 1), row(11, 1), row(12, 2)]);
    assert_eq!(taken(&handover), [0; 0]);
    handover.committed(&[11, 12]);
    assert_eq!(taken(&handover), [12]);
    handover.confirmed(&[12]);
    handover.committed(&[10]);
    assert_eq!(taken(&handover), [10, 11]);
}

#[test]
fn what_is_rolled_back_holds_nothing_up() {
    let handover = handover();
    written(&handover, vec![row(10, 1), row(11, 1)]);
    handover.committed(&[11]);
    handover.rolled_back(&[10]);
    assert_eq!(taken(&handover), [11]);
}

#[test]
fn what_was_not_published_is_taken_again_before_what_follows() {
    let handover = handover();
    written(&handover, vec![row(10, 1), row(11, 1)]);
    handover.committed(&[10, 11]);
    assert_eq!(taken(&handover), [10, 11]);
    written(&handover, vec![row(12, 1)]);
    handover.committed(&[12]);
    assert_eq!(taken(&handover), [0; 0]);
    handover.put_back(&[10, 11]);
    assert_eq!(taken(&handover), [10, 11, 12]);
}

#[test]
fn what_was_found_in_the_table_is_published_in_its_place_and_once() {
    let handover = handover();
    written(&handover, vec![row(10, 1), row(20, 1), row(30, 2)]);
    handover.committed(&[10]);
    let found = [(9, 1), (10, 1), (15, 1), (25, 1), (26, 2)];
    looked(&handover, found.map(|(seq, shard)| row(seq, shard)).into());
    let open = handover.open();
    assert_eq!((open.shards, open.known), (vec![1, 2], vec![9, 15, 25, 26]));
    assert_eq!(taken(&handover), [9, 10, 15, 26]);
    handover.confirmed(&[9, 10, 15, 26]);
    handover.committed(&[20, 30]);
    assert_eq!(taken(&handover), [20, 25, 30]);
}

#[test]
fn what_is_confirmed_is_known_until_it_is_forgotten() {
    let handover = handover();
    looked(&handover, vec![row(10, 1), row(11, 1)]);
    assert_eq!(taken(&handover), [10, 11]);
    assert!(!handover.has_confirmed());
    handover.confirmed(&[10]);
    assert!(handover.has_confirmed());
    assert_eq!(handover.open().known, [10, 11]);
    let (known, _) = handover.known();
    assert_eq!((&*known.confirmed, &*known.others), (&[10][..], &[11][..]));
    looked(&handover, Vec::new());
    assert_eq!(handover.open().known, [11]);
}

#[test]
fn what_is_doubtful_is_published_only_if_the_table_has_it() {
    let handover = handover();
    written(&handover, vec![row(10, 1), row(11, 1), row(12, 1)]);
    handover.committed(&[12]);
    handover.doubtful(&[10, 11]);
    assert_eq!(taken(&handover), [0; 0]);
    let (known, _) = handover.known();
    assert_eq!(
        (&*known.others, &*known.doubtful),
        (&[12][..], &[10, 11][..])
    );
    assert!(handover.take_look());
    looked(&handover, vec![row(11, 1)]);
    assert_eq!(taken(&handover), [11, 12]);
}

#[test]
fn after_a_doubt_nothing_of_the_shard_is_handed_over_for_a_while() {
    let handover = handover();
    written(&handover, vec![row(10, 1)]);
    handover.doubtful(&[10]);
    assert_eq!(handover.open().shards, [2]);
    assert_eq!(handover.held(), [1, 2]);
    looked(&handover, Vec::new());
    assert_eq!(handover.open().shards, [1, 2]);
}

#[test]
fn nothing_is_handed_over_where_there_is_no_room() {
    let handover = handover();
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let small = |seq| Row {
        body: Vec::new(),
        ..row(seq, 1)
    };
    written(&handover, (1..number(ROWS)).map(small).collect());
    assert_eq!(handover.open().shards, [1, 2]);
    written(&handover, vec![small(number(ROWS))]);
    assert_eq!(handover.open().shards, [0; 0]);
    handover.rolled_back(&[1]);
    assert_eq!(handover.open().shards, [1, 2]);
    let body = vec![0; BYTES];
    written(&handover, vec![Row { body, ..small(1) }]);
    handover.rolled_back(&[2, 3]);
    assert_eq!(handover.open().shards, [0; 0]);
    handover.rolled_back(&[1]);
    assert_eq!(handover.open().shards, [1, 2]);
}

#[test]
fn nothing_is_handed_over_while_more_waits_in_the_table_than_was_found() {
    let handover = handover();
    let seen = handover.known();
    handover.looked(&[1, 2], &seen, vec![row(10, 1)], false);
    assert_eq!(handover.open().shards, [0; 0]);
    assert!(handover.take_look());
    looked(&handover, Vec::new());
    assert_eq!(handover.open().shards, [1, 2]);
    assert!(!handover.take_look());
}
