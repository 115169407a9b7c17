use std::time::Duration;

use serde::Deserialize;

use super::document::{Advanced, RawDirection};

/// What the HPA takes where the file says nothing.
const SHRINK_WINDOW: u64 = 300;
const PERIOD: Duration = Duration::from_secs(15);

/// How fast instances may become more or fewer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "says it all")]
pub struct Behavior {
    pub up: Direction,
    pub down: Direction,
}

/// How fast they may change in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direction {
    /// For so long the need has to last.
    pub window: Duration,
    /// How much each of them allows.
    pub policies: Vec<Policy>,
    /// Which of them counts.
    pub select: Select,
}

/// No more change than this in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "says it all")]
pub struct Policy {
    pub step: Step,
    pub value: u32,
    pub period: Duration,
}

/// In what a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Step {
    /// Instances.
    Pods,
    /// Percent of the instances at the beginning of the period.
    Percent,
}

/// Which of several policies counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Select {
    /// The one that allows most change.
    Max,
    /// The one that allows least.
    Min,
    /// None: there is no change in this direction.
    Disabled,
}

impl Behavior {
    pub(super) fn of(advanced: Option<Advanced>) -> Self {
        let config = advanced.unwrap_or_default();
        let config = config.horizontal_pod_autoscaler_config.unwrap_or_default();
        let behavior = config.behavior.unwrap_or_default();
        let policy = |step, value| Policy {
            step,
            value,
            period: PERIOD,
        };
        Self {
            up: Direction::of(
                behavior.scale_up.unwrap_or_default(),
                0,
                &[policy(Step::Pods, 4), policy(Step::Percent, 100)],
            ),
            down: Direction::of(
                behavior.scale_down.unwrap_or_default(),
                SHRINK_WINDOW,
                &[policy(Step::Percent, 100)],
            ),
        }
    }

    /// Neither the window nor a period of shrinking is longer than this.
    pub fn shrink_within(&mut self, longest: Duration) {
        self.down.window = self.down.window.min(longest);
        for policy in &mut self.down.policies {
            policy.period = policy.period.min(longest);
        }
    }
}

impl Direction {
    fn of(raw: RawDirection, window: u64, policies: &[Policy]) -> Self {
        let given = raw.policies.map(|policies| {
            let policies = policies.into_iter().map(|raw| Policy {
                step: raw.step,
                value: raw.value,
                period: Duration::from_secs(raw.period_seconds),
            });
            policies.collect()
        });
        let window = raw.stabilization_window_seconds.unwrap_or(window);
        Self {
            window: Duration::from_secs(window),
            policies: given.unwrap_or_else(|| policies.to_vec()),
            select: raw.select_policy.unwrap_or(Select::Max),
        }
    }
}
