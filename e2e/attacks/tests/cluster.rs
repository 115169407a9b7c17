//! The schedule of attacks on a cluster, and how long nothing was confirmed. Needs no running system.

use std::collections::BTreeSet;
use std::time::Duration;

use attacks::{Broker, Confirmed, Fault, Lane, Planned, Schedule, longest_pause};

/// Faults of `./dev test cluster`: one of each kind.
const SMALL: usize = 35;

#[test]
fn the_run_of_the_test_command_has_every_kind_of_fault_once() {
    let kinds = Lane::CLUSTER.iter().flat_map(|lane| lane.kinds());
    assert_eq!(kinds.count(), SMALL);
    for seed in 0..20 {
        let schedule = Schedule::for_cluster(seed, SMALL);
        for (lane, planned) in &schedule.lanes {
            assert_eq!(planned.len(), lane.kinds().len(), "seed {seed}: {lane:?}");
            for kind in lane.kinds() {
                let times = planned.iter().filter(|one| one.kind == *kind).count();
                assert_eq!(times, 1, "seed {seed}: {kind:?}");
            }
        }
    }
}

/// Within a lane a fault is healed, and all nodes have caught up, before the next one comes.
#[test]
fn all_faults_of_a_broker_are_in_one_lane_so_that_it_never_misses_two_nodes() {
    for broker in Broker::ALL {
        let schedule = Schedule::for_cluster(1, 500);
        let lanes = schedule.lanes.iter().filter(|(_, planned)| {
            let mut brokers = planned.iter().map(|one| one.fault.broker());
            brokers.any(|one| one == Some(broker))
        });
        assert_eq!(lanes.count(), 1, "{broker}");
    }
}

#[test]
fn every_node_of_both_brokers_is_killed_frozen_and_cut_off() {
    let schedule = Schedule::for_cluster(1, 1_000);
    let reached = |of: fn(&Fault) -> Option<&'static str>| {
        let all = planned(&schedule).filter_map(|one| of(&one.fault));
        all.filter(|service| Broker::of(service).is_some())
            .collect::<BTreeSet<_>>()
    };
    let nodes: BTreeSet<_> = Broker::ALL.into_iter().flat_map(Broker::nodes).collect();
    assert_eq!(nodes.len(), 6);
    let killed = reached(|fault| match fault {
        Fault::Kill { service, .. } => Some(*service),
        _ => None,
    });
    let frozen = reached(|fault| match fault {
        Fault::Pause { service } => Some(*service),
        _ => None,
    });
    let cut_off = reached(|fault| match fault {
        Fault::Cut { service, .. } => Some(*service),
        _ => None,
    });
    let split = reached(|fault| match fault {
        Fault::CutFromPeers { node } => Some(*node),
        _ => None,
    });
    assert_eq!([&killed, &frozen, &cut_off, &split], [&nodes; 4]);
}

#[test]
fn the_nodes_are_those_of_the_compose_file_and_have_their_names_among_peers() {
    let file = include_str!("../../../deploy/compose.cluster.yml");
    for node in Broker::ALL.into_iter().flat_map(Broker::nodes) {
        for line in [
            format!("\n  {node}:\n"),
            format!("        aliases: [peer-{node}]\n"),
        ] {
            assert!(file.contains(&line), "{line}");
        }
    }
}

#[test]
fn without_a_cluster_there_is_no_second_node_to_attack() {
    for Planned { fault, .. } in planned(&Schedule::new(1, 500)) {
        let is_right = match fault {
            Fault::Kill { service, .. } | Fault::Pause { service } | Fault::Cut { service, .. } => {
                Broker::of(service).is_none_or(|broker| broker.nodes()[0] == *service)
            }
            Fault::CutFromPeers { .. } | Fault::RestartNodes { .. } => false,
            _ => true,
        };
        assert!(is_right, "{fault:?}");
    }
}

#[test]
fn the_attacks_on_a_cluster_take_less_than_four_minutes_of_the_test_command() {
    let length = Schedule::for_cluster(1, SMALL).length();
    assert!(length < Duration::from_secs(4 * 60), "{length:?}");
}

#[test]
fn a_pause_is_the_longest_time_from_one_confirmation_to_the_next() {
    let orders = [order(0.0, 1.0), order(1.0, 2.0), order(1.5, 9.0)];
    assert_eq!(longest_pause(&orders, (0.0, 10.0), &[]), Some(7.0));
}

#[test]
fn a_pause_counts_from_the_beginning_of_the_window_and_beyond_its_end() {
    let orders = [order(0.0, 1.0), order(0.5, 9.0)];
    assert_eq!(longest_pause(&orders, (4.0, 5.0), &[]), Some(5.0));
}

#[test]
fn time_in_which_no_order_waits_is_no_pause() {
    let orders = [order(0.0, 1.0), order(8.0, 9.0)];
    assert_eq!(longest_pause(&orders, (0.0, 10.0), &[]), Some(1.0));
    assert_eq!(longest_pause(&orders, (2.0, 7.0), &[]), None);
    assert_eq!(longest_pause(&orders, (9.0, 10.0), &[]), None);
}

#[test]
fn an_order_that_waits_long_makes_no_pause_while_others_are_confirmed() {
    let orders = [order(3.0, 4.0), order(4.0, 5.0), order(0.0, 6.0)];
    assert_eq!(longest_pause(&orders, (3.0, 10.0), &[]), Some(1.0));
}

#[test]
fn what_something_else_holds_up_is_taken_out_of_a_pause() {
    let orders = [order(0.0, 20.0)];
    let window = (0.0, 10.0);
    let held_up = |windows: &[(f64, f64)]| longest_pause(&orders, window, windows);
    assert_eq!(held_up(&[(12.0, 15.0)]), Some(12.0));
    assert_eq!(held_up(&[(12.0, 15.0), (2.0, 5.0)]), Some(7.0));
    assert_eq!(held_up(&[(2.0, 16.0), (3.0, 4.0)]), Some(4.0));
    assert_eq!(held_up(&[(-5.0, 30.0)]), Some(0.0));
    assert_eq!(held_up(&[(25.0, 30.0)]), Some(20.0));
}

fn order(placed: f64, confirmed: f64) -> Confirmed {
    Confirmed { placed, confirmed }
}

fn planned(schedule: &Schedule) -> impl Iterator<Item = &Planned> {
    schedule.lanes.iter().flat_map(|(_, planned)| planned)
}
