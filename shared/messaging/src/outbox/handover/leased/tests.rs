use super::*;

/// The shards 1 and 2, of which everything is known.
fn leased() -> Leased {
    let mut leased = Leased::default();
    hold(&mut leased, &[1, 2]);
    run(&mut leased, [7, 7]);
    look(&mut leased);
    assert_eq!(settled(&leased), [1, 2]);
    leased
}

fn hold(leased: &mut Leased, shards: &[i16]) {
    leased.hold(shards, Instant::now() + Duration::from_secs(3600));
}

/// Transactions run: the oldest is this one, and the next will be that one.
fn run(leased: &mut Leased, [oldest, next]: [i64; 2]) {
    run_at(leased, [oldest, next], Instant::now());
}

fn run_at(leased: &mut Leased, [oldest, next]: [i64; 2], now: Instant) -> bool {
    leased.run(leased.term(), &Running { oldest, next }, now)
}

fn look(leased: &mut Leased) {
    leased.looked(&[1, 2, 3], leased.term());
}

fn settled(leased: &Leased) -> Vec<i16> {
    leased.settled(Instant::now())
}

#[test]
fn a_shard_is_settled_once_all_who_may_have_written_for_it_have_ended_and_were_looked_for() {
    let mut leased = leased();
    leased.doubt(1);
    hold(&mut leased, &[1, 2, 3]);
    for running in [[7, 9], [8, 12]] {
        run(&mut leased, running);
        look(&mut leased);
        assert_eq!(settled(&leased), [2]);
        assert!(leased.has_strangers());
    }
    run(&mut leased, [9, 13]);
    assert!(!leased.has_strangers());
    assert_eq!(settled(&leased), [2]);
    look(&mut leased);
    assert_eq!(settled(&leased), [1, 2, 3]);
}

#[test]
fn a_look_that_began_before_they_had_ended_may_have_missed_something() {
    let mut leased = leased();
    leased.doubt(1);
    look(&mut leased);
    run(&mut leased, [7, 7]);
    assert_eq!(settled(&leased), [2]);
    look(&mut leased);
    assert_eq!(settled(&leased), [1, 2]);
}

#[test]
fn who_ran_before_a_doubt_says_nothing_about_it() {
    let mut leased = leased();
    hold(&mut leased, &[1, 2, 3]);
    let before = leased.term();
    leased.doubt(1);
    let (oldest, next) = (7, 7);
    leased.run(before, &Running { oldest, next }, Instant::now());
    look(&mut leased);
    assert_eq!(settled(&leased), [2, 3]);
}

#[test]
fn a_doubt_ends_nothing_for_the_other_shards() {
    let mut leased = leased();
    let before = leased.term();
    leased.doubt(1);
    assert!(leased.is_held_since(1, before) && leased.is_held_since(2, before));
    assert_eq!(leased.held(Instant::now()), [1, 2]);
}

#[test]
fn a_transaction_that_is_waited_for_for_long_is_told_of_once() {
    let mut leased = leased();
    leased.doubt(1);
    let began = Instant::now();
    let told = [0, 59, 60, 61, 200].map(|seconds| {
        let now = began + Duration::from_secs(seconds);
        run_at(&mut leased, [7, 9], now)
    });
    assert_eq!(told, [false, false, true, false, false]);
    // Whoever holds the shards anew has not waited yet.
    leased.hold(&[1, 2], began);
    hold(&mut leased, &[1, 2]);
    assert!(!run_at(&mut leased, [7, 9], began + LONG * 4));
    assert!(run_at(&mut leased, [7, 9], began + LONG * 5));
    // It has ended, and the next one is waited for anew.
    assert!(!run_at(&mut leased, [9, 9], began + LONG * 6));
    look(&mut leased);
    leased.doubt(2);
    assert!(!run_at(&mut leased, [9, 10], began + LONG * 7));
    assert!(run_at(&mut leased, [9, 10], began + LONG * 8));
}
