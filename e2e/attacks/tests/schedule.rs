//! The schedule of attacks. Needs no running system.

use std::time::Duration;

use attacks::{Fault, Lane, Planned, Schedule};
use harness::Compose;

/// Faults of `./dev test` for each seed: one of each kind.
const SMALL: usize = 90 / 3;
/// Faults of the large run.
const LARGE: usize = 200;

#[test]
fn the_same_seed_gives_the_same_schedule() {
    assert_eq!(Schedule::new(7, 60), Schedule::new(7, 60));
}

#[test]
fn another_seed_gives_another_schedule() {
    assert_ne!(Schedule::new(7, 60), Schedule::new(8, 60));
}

#[test]
fn there_are_as_many_faults_as_wanted() {
    for faults in [0, 1, 2, 17, 60] {
        assert_eq!(planned(&Schedule::new(1, faults)).count(), faults);
    }
}

#[test]
fn the_run_of_the_test_command_has_every_kind_of_fault_for_every_seed() {
    for seed in [1, 2, 3] {
        every_kind_comes_once(&Schedule::new(seed, SMALL), seed);
    }
}

#[test]
fn every_kind_comes_before_any_comes_again() {
    for seed in 0..20 {
        let mut schedule = Schedule::new(seed, 100);
        for (lane, planned) in &mut schedule.lanes {
            planned.truncate(lane.kinds().len());
        }
        every_kind_comes_once(&schedule, seed);
    }
}

#[test]
fn a_jolt_lasts_no_longer_than_fifteen_seconds_in_any_run() {
    for faults in [SMALL, LARGE] {
        let schedule = Schedule::new(1, faults);
        let longest = (planned(&schedule).filter(|one| !one.kind.is_long())).map(|one| one.hold);
        assert!(longest.max().is_some_and(|hold| hold.as_secs() <= 15));
    }
}

#[test]
fn trouble_that_lasts_takes_a_minute_or_two_in_the_large_run_and_seconds_in_the_small_one() {
    for seed in 0..20 {
        for (faults, seconds) in [(SMALL, 6..=10), (LARGE, 60..=120)] {
            let schedule = Schedule::new(seed, faults);
            let mut long = planned(&schedule).filter(|one| one.kind.is_long());
            let first = long.next();
            for one in first.into_iter().chain(long) {
                assert!(seconds.contains(&one.hold.as_secs()), "{one:?}");
            }
            assert!(first.is_some(), "seed {seed} has nothing long");
        }
    }
}

#[test]
fn all_new_kinds_of_trouble_last() {
    let kinds = Lane::ALL.iter().flat_map(|lane| lane.kinds());
    assert_eq!(kinds.clone().count(), SMALL);
    assert_eq!(kinds.filter(|kind| kind.is_long()).count(), 12);
}

/// What comes after the heal takes less than fifty seconds for each seed.
#[test]
fn the_attacks_of_the_test_command_leave_time_for_the_rest_of_eight_minutes() {
    let length = |seed| Schedule::new(seed, SMALL).length();
    let all: Duration = [1, 2, 3].into_iter().map(length).sum();
    assert!(all < Duration::from_secs(8 * 60 - 3 * 50), "{all:?}");
}

#[test]
fn only_services_are_stopped_by_a_signal_to_their_only_process() {
    for Planned { fault, .. } in planned(&Schedule::new(1, 300)) {
        let is_right = match fault {
            Fault::Stop { service, .. } => Compose::SERVICES.contains(service),
            Fault::Pause { service } => !Compose::SERVICES.contains(service),
            _ => true,
        };
        assert!(is_right, "{fault:?}");
    }
}

#[test]
fn a_fault_of_a_broker_makes_no_email_leave_twice() {
    let kill = |service| Fault::Kill { service, pick: 0 };
    assert!(kill("notification").interrupts_senders());
    assert!(kill("mail").interrupts_senders());
    assert!(!kill("rabbitmq").interrupts_senders());
    assert!(!kill("kafka").interrupts_senders());
    assert!(!Fault::BusyMail { at_greeting: true }.interrupts_senders());
}

#[test]
fn an_email_is_in_doubt_when_its_sender_lost_the_mail_server() {
    let pick = 0;
    let (kill, cut) = (
        |service| Fault::Kill { service, pick },
        |service| Fault::Cut { service, pick },
    );
    assert!(kill("mail").cuts_off_mail());
    assert!(cut("notification").cuts_off_mail());
    assert!(!kill("notification").cuts_off_mail());
    assert!(!cut("order").cuts_off_mail());
    assert!(!Fault::SlowMail { seconds: 30 }.cuts_off_mail());
}

fn planned(schedule: &Schedule) -> impl Iterator<Item = &Planned> {
    schedule.lanes.iter().flat_map(|(_, planned)| planned)
}

fn every_kind_comes_once(schedule: &Schedule, seed: u64) {
    for (lane, planned) in &schedule.lanes {
        assert_eq!(planned.len(), lane.kinds().len(), "seed {seed}: {lane:?}");
        for kind in lane.kinds() {
            let times = planned.iter().filter(|one| one.kind == *kind).count();
            assert_eq!(times, 1, "seed {seed}: {kind:?}");
        }
    }
}
