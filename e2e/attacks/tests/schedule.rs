//! The schedule of attacks. Needs no running system.

use attacks::{Fault, Planned, Schedule};
use harness::Compose;

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
        every_kind_comes_once(&Schedule::new(seed, 60 / 3), seed);
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
fn nothing_lasts_for_longer_than_fifteen_seconds() {
    for seed in 0..20 {
        let longest = planned(&Schedule::new(seed, 60)).map(|one| one.hold).max();
        assert!(longest.is_some_and(|hold| hold.as_secs() <= 15));
    }
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
