use super::*;

fn queue() -> Watched {
    Watched {
        name: "inventory.stock-commands".to_owned(),
        service: "inventory".to_owned(),
        waiting: Some(412),
        consumers: Some(1),
        age: Some(12.0),
        arriving: Some(50.0),
        leaving: Some(50.0),
        standing: Some(0.1),
        at_least: false,
        partition: None,
    }
}

fn of(one: Watched) -> Option<Reason> {
    reason(&one, Asked::default())
}

#[test]
fn nothing_is_said_where_messages_move() {
    assert_eq!(of(queue()), None);
    assert_eq!(
        of(Watched {
            waiting: Some(0),
            consumers: Some(0),
            ..queue()
        }),
        None
    );
    assert_eq!(
        of(Watched {
            waiting: None,
            consumers: None,
            age: None,
            ..queue()
        }),
        None
    );
    assert_eq!(
        of(Watched {
            age: Some(0.5),
            consumers: Some(0),
            ..queue()
        }),
        None
    );
}

#[test]
fn nobody_consumes_is_told_apart_from_consumers_that_hold() {
    let held = Watched {
        leaving: Some(0.0),
        standing: Some(9.0),
        ..queue()
    };
    assert_eq!(
        of(Watched {
            consumers: Some(0),
            ..held.clone()
        }),
        Some(Reason::NobodyConsumes)
    );
    assert_eq!(
        of(Watched {
            consumers: None,
            ..held.clone()
        }),
        Some(Reason::Held)
    );
    assert_eq!(of(held), Some(Reason::Held));
}

#[test]
fn a_partition_whose_first_record_stands_waits_for_a_retry() {
    let partition = Watched {
        partition: Some(Place::default()),
        standing: Some(3.0),
        ..queue()
    };
    assert_eq!(of(partition.clone()), Some(Reason::Retry));
    assert_eq!(
        of(Watched {
            consumers: Some(0),
            ..partition
        }),
        Some(Reason::NobodyConsumes)
    );
}

#[test]
fn arrival_that_is_faster_than_processing_is_said_last() {
    let flood = Watched {
        arriving: Some(500.0),
        ..queue()
    };
    assert_eq!(of(flood.clone()), Some(Reason::ArrivalFaster));
    let slowed = Asked {
        slowed: true,
        ..Asked::default()
    };
    assert_eq!(reason(&flood, slowed), Some(Reason::Slowed));
    let failing = Asked {
        failing: true,
        ..slowed
    };
    assert_eq!(reason(&flood, failing), Some(Reason::Failing));
    let refusing = Asked {
        refusing: true,
        ..Asked::default()
    };
    let held = Watched {
        leaving: Some(0.0),
        standing: Some(9.0),
        ..queue()
    };
    assert_eq!(reason(&held, refusing), Some(Reason::Failing));
    let paused = Asked {
        paused: true,
        ..failing
    };
    assert_eq!(
        reason(
            &Watched {
                consumers: Some(0),
                ..flood
            },
            paused
        ),
        Some(Reason::Paused)
    );
}

#[test]
fn the_worst_comes_first_and_of_equals_the_longest() {
    let nobody = |waiting| Watched {
        waiting: Some(waiting),
        consumers: Some(0),
        ..queue()
    };
    let flood = Watched {
        arriving: Some(500.0),
        ..queue()
    };
    let all = [flood, nobody(3), nobody(700)];
    let found = reasons(&all, |_| Asked::default());
    let found: Vec<_> = found
        .iter()
        .map(|(reason, one)| (*reason, one.waiting))
        .collect();
    let expected = [
        (Reason::NobodyConsumes, Some(700)),
        (Reason::NobodyConsumes, Some(3)),
        (Reason::ArrivalFaster, Some(412)),
    ];
    assert_eq!(found, expected);
}
