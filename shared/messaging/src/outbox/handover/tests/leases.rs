//! What is here of a shard whose lease is lost, or runs out, and is held again.

use super::*;

#[test]
fn what_was_handed_over_for_a_shard_is_left_to_whoever_holds_it_next() {
    let handover = handover();
    written(&handover, vec![row(10, 1), row(11, 2), row(12, 1)]);
    handover.committed(&[10, 11]);
    assert_eq!(taken(&handover), [10, 11]);
    handover.confirmed(&[10]);
    hold(&handover, &[2]);
    let (known, _) = handover.known();
    // What was published is still to be forgotten.
    assert_eq!((&*known.confirmed, &*known.others), (&[10][..], &[11][..]));
}

#[test]
fn what_comes_in_for_a_shard_that_was_just_lost_is_not_published_when_it_is_held_again() {
    let handover = handover();
    hold(&handover, &[2]);
    written(&handover, vec![row(10, 1)]);
    handover.committed(&[10]);
    hold(&handover, &[1, 2]);
    assert_eq!(taken(&handover), [0; 0]);
}

#[test]
fn a_row_whose_shard_was_lost_and_held_again_while_it_was_written_is_looked_for() {
    let handover = handover();
    let before = handover.open();
    hold(&handover, &[2]);
    hold(&handover, &[1, 2]);
    looked(&handover, Vec::new());
    assert!(handover.take_look());
    handover.written(vec![row(20, 1), row(30, 2)], before.term);
    handover.committed(&[20, 30]);
    assert_eq!(taken(&handover), [30]);
    assert!(handover.take_look());
    // Somebody else has written the first one meanwhile.
    looked(&handover, vec![row(10, 1), row(20, 1)]);
    assert_eq!(taken(&handover), [10, 20]);
}

#[test]
fn a_look_during_which_the_lease_ran_out_may_have_missed_something() {
    let handover = handover();
    written(&handover, vec![row(10, 1), row(11, 2)]);
    handover.committed(&[10, 11]);
    let seen = handover.known();
    handover.hold(&[1, 2], Instant::now());
    hold(&handover, &[1, 2]);
    // The row of the shard that comes first was known, so nobody looked for it. It need not be among those that the
    // next look has room for.
    handover.looked(&[1, 2], &seen, vec![row(20, 1)], true);
    assert_eq!(handover.open().shards, [0; 0]);
    assert_eq!(taken(&handover), [0; 0]);
    assert!(handover.take_look());
    handover.looked(&[1, 2], &handover.known(), Vec::new(), false);
    assert_eq!(taken(&handover), [0; 0]);
    looked(&handover, vec![row(10, 1), row(11, 2), row(20, 1)]);
    assert_eq!(taken(&handover), [10, 11, 20]);
}

#[test]
fn a_shard_that_is_held_anew_waits_for_a_look_at_it_and_the_others_do_not() {
    let handover = handover();
    written(&handover, vec![row(10, 1)]);
    handover.committed(&[10]);
    hold(&handover, &[1, 2, 3]);
    assert_eq!(handover.open().shards, [1, 2]);
    handover.looked(&[1, 2], &handover.known(), vec![row(11, 3)], true);
    assert_eq!(taken(&handover), [10]);
    looked(&handover, Vec::new());
    assert_eq!(taken(&handover), [11]);
}

#[test]
fn a_lease_that_has_run_out_in_between_is_a_new_one() {
    let handover = handover();
    written(&handover, vec![row(10, 1)]);
    handover.committed(&[10]);
    handover.hold(&[1, 2], Instant::now());
    assert_eq!(handover.held(), [0; 0]);
    hold(&handover, &[1, 2]);
    assert_eq!(taken(&handover), [0; 0]);
    // Somebody else has published the first one meanwhile.
    looked(&handover, vec![row(11, 1)]);
    assert_eq!(taken(&handover), [11]);
}
