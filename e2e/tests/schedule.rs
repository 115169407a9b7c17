//! The schedule of attacks. Needs no running system.

use e2e::chaos::{Fault, Lane, Planned, Schedule};

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
        let schedule = Schedule::new(1, faults);
        let planned = schedule.services.len() + schedule.infrastructure.len();
        assert_eq!(planned, faults);
    }
}

#[test]
fn every_kind_comes_before_any_comes_again() {
    for seed in 0..20 {
        let schedule = Schedule::new(seed, 2 * Lane::Infrastructure.kinds().len());
        let first = |lane: &[Planned], kinds: usize| -> Vec<String> {
            lane.iter()
                .take(kinds)
                .map(|one| kind(&one.fault))
                .collect()
        };
        for (planned, lane) in [
            (&schedule.services, Lane::Services),
            (&schedule.infrastructure, Lane::Infrastructure),
        ] {
            let mut kinds = first(planned, lane.kinds().len());
            kinds.sort_unstable();
            kinds.dedup();
            assert_eq!(kinds.len(), lane.kinds().len(), "seed {seed}: {kinds:?}");
        }
    }
}

#[test]
fn nothing_is_stopped_for_longer_than_fifteen_seconds() {
    for seed in 0..20 {
        let Schedule {
            services,
            infrastructure,
        } = Schedule::new(seed, 60);
        let holds = services.iter().chain(&infrastructure).map(|one| one.hold);
        assert!(holds.max().is_some_and(|hold| hold.as_secs() <= 15));
    }
}

/// The fault without what chance has chosen, but with the container where kinds differ by it.
fn kind(fault: &Fault) -> String {
    let is_service = |service: &str| e2e::Compose::SERVICES.contains(&service);
    match fault {
        Fault::Kill { service, .. } if is_service(service) => "kill a service".to_owned(),
        Fault::Kill { service, .. } => format!("kill {service}"),
        Fault::Stop { service, .. } if is_service(service) => "stop a service".to_owned(),
        Fault::Stop {
            service: "mail", ..
        } => "stop mail".to_owned(),
        Fault::Stop { .. } => "stop a broker".to_owned(),
        Fault::Cut { .. } => "cut".to_owned(),
        other => format!("{other:?}")
            .split([' ', '{'])
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}
