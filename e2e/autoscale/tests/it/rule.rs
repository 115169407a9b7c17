//! How many instances there shall be, by the rule of the HorizontalPodAutoscaler.

use std::time::Duration;

use autoscale::{
    Behavior, Decision, Direction, Limits, Policy, Reason, Rule, Sample, Select, Step,
};

const LIMITS: Limits = Limits { least: 1, most: 4 };
const TARGET: u64 = 1_000;

#[test]
fn as_many_are_wanted_as_it_takes_that_none_has_more_than_its_share() {
    for (value, current, to) in [
        (0, 1, 1),
        (1, 1, 1),
        (1_101, 1, 2),
        (2_000, 1, 2),
        (2_001, 1, 3),
        (3_500, 2, 4),
        // Far beyond the limit, be it as large as a number can be.
        (1_000_000, 1, 4),
        (u64::MAX, 4, 4),
    ] {
        let decision = rule(behavior(0, &[])).decide(at(0), current, &known(&[value]));
        assert_eq!(decision.to, to, "{value} with {current}: {decision}");
    }
}

#[test]
fn a_tenth_more_or_less_than_the_share_is_enough() {
    for (value, current, to) in [
        (1_100, 1, 1),
        (1_101, 1, 2),
        (2_700, 3, 3),
        (2_699, 3, 3),
        (1_800, 2, 2),
        (3_300, 3, 3),
        (3_301, 3, 4),
    ] {
        let decision = rule(behavior(0, &[])).decide(at(0), current, &known(&[value]));
        assert_eq!(decision.to, to, "{value} with {current}: {decision}");
        let is_enough = decision.reason == Reason::Enough;
        assert_eq!(is_enough, to == current, "{value} with {current}");
    }
    // Below the tolerance it is rounded up all the same.
    let decision = rule(behavior(0, &[])).decide(at(0), 4, &known(&[2_999]));
    assert_eq!(decision.to, 3);
}

#[test]
fn the_trigger_that_wants_most_decides() {
    let decision = rule(behavior(0, &[])).decide(at(0), 1, &known(&[0, 2_500, 1_500]));
    assert_eq!((decision.to, decision.reason), (3, Reason::Demand));
}

#[test]
fn a_trigger_that_is_silent_keeps_what_is_there_unless_another_one_wants_more() {
    for (values, to, reason) in [
        (&[None][..], 2, Reason::Unknown),
        (&[None, None], 2, Reason::Unknown),
        (&[None, Some(0)], 2, Reason::Unknown),
        (&[None, Some(1_900)], 2, Reason::Enough),
        (&[None, Some(2_500)], 3, Reason::Demand),
        (&[], 2, Reason::Unknown),
    ] {
        let samples: Vec<_> = values.iter().map(|value| sample(*value)).collect();
        let decision = rule(behavior(0, &[])).decide(at(0), 2, &samples);
        assert_eq!((decision.to, decision.reason), (to, reason), "{values:?}");
    }
}

#[test]
fn while_nobody_knows_nothing_shrinks_however_short_the_window() {
    let mut rule = rule(behavior(60, &[]));
    assert_eq!(rule.decide(at(0), 1, &known(&[4_000])).to, 4);
    for second in 1..60 {
        let decision = rule.decide(at(second), 4, &[sample(None)]);
        assert_eq!((decision.to, decision.reason), (4, Reason::Unknown));
    }
    // Nothing was wanted for a minute, and now it is known that none is.
    assert_eq!(rule.decide(at(60), 4, &known(&[0])).to, 1);
}

#[test]
fn nothing_shrinks_before_less_was_wanted_for_the_whole_window() {
    let mut rule = rule(behavior(120, &[]));
    assert_eq!(rule.decide(at(0), 1, &known(&[4_000])).to, 4);
    for second in (5..120).step_by(5) {
        let decision = rule.decide(at(second), 4, &known(&[0]));
        assert_eq!((decision.to, decision.reason), (4, Reason::Window));
        assert_eq!(decision.wanted, Some(0));
    }
    // The highest of the window counts, and it is 2 from here on.
    assert_eq!(rule.decide(at(119), 4, &known(&[2_000])).to, 4);
    assert_eq!(rule.decide(at(120), 4, &known(&[0])).to, 2);
    assert_eq!(rule.decide(at(238), 2, &known(&[0])).to, 2);
    assert_eq!(rule.decide(at(239), 2, &known(&[0])).to, 1);
}

#[test]
fn who_has_just_begun_to_look_shrinks_nothing() {
    let mut rule = rule(behavior(30, &[]));
    assert_eq!(rule.decide(at(7), 3, &known(&[0])).reason, Reason::Window);
    assert_eq!(rule.decide(at(36), 3, &known(&[0])).to, 3);
    assert_eq!(rule.decide(at(37), 3, &known(&[0])).to, 1);
}

#[test]
fn more_wait_for_a_window_too_where_the_file_says_so() {
    let mut slow = behavior(0, &[]);
    slow.up.window = Duration::from_secs(10);
    let mut rule = rule(slow);
    for (second, value, to) in [(0, 4_000, 1), (9, 2_000, 1), (10, 4_000, 2)] {
        let decision = rule.decide(at(second), 1, &known(&[value]));
        assert_eq!(decision.to, to, "{second}: {decision}");
    }
}

#[test]
fn policies_allow_so_many_in_each_period() {
    let one_in_thirty = [policy(Step::Pods, 1, 30)];
    let mut rule = rule(behavior(0, &one_in_thirty));
    let mut current = 4;
    let mut seen = Vec::new();
    for second in (0..=100).step_by(5) {
        let decision = rule.decide(at(second), current, &known(&[0]));
        if decision.is_change() {
            rule.done(at(second), current, decision.to);
            current = decision.to;
            seen.push((second, current));
        } else if current > 1 {
            assert_eq!(decision.reason, Reason::Pace, "{second}");
        }
    }
    assert_eq!(seen, [(0, 3), (30, 2), (60, 1)]);
}

#[test]
fn what_could_not_be_done_uses_up_no_policy() {
    let mut rule = rule(behavior(0, &[policy(Step::Pods, 1, 30)]));
    rule.decide(at(0), 4, &known(&[0]));
    for second in [1, 2, 3] {
        assert_eq!(rule.decide(at(second), 4, &known(&[0])).to, 3);
    }
}

#[test]
fn of_several_policies_one_is_selected() {
    let policies = [policy(Step::Pods, 1, 60), policy(Step::Percent, 50, 60)];
    for (select, up, down) in [
        (Select::Max, 15, 5),
        (Select::Min, 11, 9),
        (Select::Disabled, 10, 10),
    ] {
        let direction = Direction {
            window: Duration::ZERO,
            policies: policies.to_vec(),
            select,
        };
        let behavior = Behavior {
            up: direction.clone(),
            down: direction,
        };
        let limits = Limits { least: 1, most: 50 };
        let mut rule = Rule::new(limits, behavior);
        let decide = |rule: &mut Rule, at, value| rule.decide(at, 10, &known(&[value])).to;
        assert_eq!(decide(&mut rule, at(0), 40_000), up, "{select:?}");
        assert_eq!(decide(&mut rule, at(1), 0), down, "{select:?}");
    }
}

#[test]
fn a_window_that_is_given_shortens_windows_and_periods_of_shrinking_alone() {
    let mut behavior = behavior(120, &[policy(Step::Pods, 1, 30)]);
    let up = behavior.up.clone();
    behavior.shrink_within(Duration::from_secs(2));
    assert_eq!(behavior.up, up);
    assert_eq!(behavior.down.window, Duration::from_secs(2));
    assert_eq!(behavior.down.policies, [policy(Step::Pods, 1, 2)]);
    behavior.shrink_within(Duration::from_secs(60));
    assert_eq!(behavior.down.window, Duration::from_secs(2));
}

#[test]
fn limits_hold_whoever_has_scaled_meanwhile_and_what_is_stopped_stays_so() {
    for (current, to, reason) in [
        (7, 4, Reason::Most),
        (1, 2, Reason::Least),
        (0, 0, Reason::Stopped),
    ] {
        let limits = Limits { least: 2, most: 4 };
        let mut rule = Rule::new(limits, behavior(300, &[policy(Step::Pods, 1, 30)]));
        let decision = rule.decide(at(0), current, &known(&[9_000]));
        assert_eq!((decision.to, decision.reason), (to, reason));
    }
    let limits = Limits { least: 2, most: 4 };
    let mut rule = Rule::new(limits, behavior(0, &[]));
    rule.decide(at(0), 3, &known(&[0]));
    let decision = rule.decide(at(1), 3, &known(&[0]));
    assert_eq!((decision.to, decision.reason), (2, Reason::Least));
}

#[test]
fn a_decision_says_what_is_done_and_why() {
    let mut rule = rule(behavior(0, &[]));
    let say = |decision: Decision| decision.to_string();
    assert_eq!(
        say(rule.decide(at(0), 1, &known(&[5_200]))),
        "1 -> 4: 6 wanted, no more allowed"
    );
    assert_eq!(
        say(rule.decide(at(1), 4, &known(&[4_000]))),
        "stays at 4: that is enough"
    );
    assert_eq!(
        say(rule.decide(at(2), 4, &[sample(None)])),
        "stays at 4: a broker says nothing"
    );
}

fn rule(behavior: Behavior) -> Rule {
    Rule::new(LIMITS, behavior)
}

/// Grows at once; shrinks after this window, and without policies as far as it likes.
fn behavior(window: u64, down: &[Policy]) -> Behavior {
    let all = [policy(Step::Percent, 100, 15)];
    let down = if down.is_empty() { &all[..] } else { down };
    let direction = |window, policies: &[Policy]| Direction {
        window: Duration::from_secs(window),
        policies: policies.to_vec(),
        select: Select::Max,
    };
    Behavior {
        up: direction(0, &[policy(Step::Pods, 4, 15)]),
        down: direction(window, down),
    }
}

fn policy(step: Step, value: u32, period: u64) -> Policy {
    Policy {
        step,
        value,
        period: Duration::from_secs(period),
    }
}

fn known(values: &[u64]) -> Vec<Sample> {
    values.iter().map(|value| sample(Some(*value))).collect()
}

fn sample(value: Option<u64>) -> Sample {
    Sample {
        name: "commands".to_owned(),
        target: TARGET,
        value: value.ok_or_else(|| "away".to_owned()),
    }
}

fn at(second: u64) -> Duration {
    Duration::from_secs(second)
}
