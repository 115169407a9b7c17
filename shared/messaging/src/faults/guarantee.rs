//! What a demonstration may switch off or break: one guarantee, to show what it is for, and a crash
//! point. Refused unless `SPILLWAY_DEMO` says that nothing here is real.

use std::sync::OnceLock;

use anyhow::ensure;
use clap::ValueEnum;

use super::crash_point::{self, Crash, CrashPoint};

/// Switches for demonstrations and attacks.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DemoArgs {
    /// Says that nothing here is real, so that the other switches are allowed.
    #[arg(long, env = "SPILLWAY_DEMO", default_value_t = false, value_parser = clap::builder::BoolishValueParser::new(),
          action = clap::ArgAction::Set)]
    pub demo: bool,

    /// Gives up one guarantee, to show what follows.
    #[arg(long, env = "SPILLWAY_WITHOUT")]
    pub without: Option<Guarantee>,

    /// Breaks the process at this point, once.
    #[arg(long, env = "CRASH_AT")]
    pub crash_at: Option<CrashPoint>,

    /// How to break it.
    #[arg(long, env = "CRASH_BY", default_value = "abort")]
    pub crash_by: Option<Crash>,
}

/// What can be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Guarantee {
    /// Messages wait in the database: without it in memory, and only after the commit.
    Outbox,
    /// A message is handled once: without it as often as it is delivered.
    Inbox,
    /// A message leaves the outbox once RabbitMQ has it: without it once it is on its way.
    Confirms,
    /// A message leaves its queue once it was handled: without it when it is delivered.
    ManualAck,
    /// RabbitMQ keeps messages on disk: without it in memory, in queues of one node.
    Persistence,
    /// What fails is tried again: without it it becomes a dead letter at once.
    Retry,
}

static GIVEN_UP: OnceLock<Guarantee> = OnceLock::new();

impl DemoArgs {
    /// Throws the switches, for the rest of this process.
    pub(crate) fn apply(&self) -> anyhow::Result<()> {
        ensure!(
            self.demo || (self.without.is_none() && self.crash_at.is_none()),
            "SPILLWAY_WITHOUT and CRASH_AT are for demonstrations: they need SPILLWAY_DEMO=true"
        );
        if let Some(guarantee) = self.without {
            tracing::warn!("running without {guarantee:?}: messages will be lost or doubled");
            GIVEN_UP.get_or_init(|| guarantee);
        }
        if let Some(point) = self.crash_at {
            crash_point::arm(point, self.crash_by.unwrap_or_default());
        }
        Ok(())
    }
}

/// Whether this guarantee is given up.
pub(crate) fn without(guarantee: Guarantee) -> bool {
    GIVEN_UP.get() == Some(&guarantee)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_refused_where_something_is_real() {
        for (without, crash_at) in [
            (Some(Guarantee::Inbox), None),
            (None, Some(CrashPoint::Handled)),
        ] {
            let real = DemoArgs {
                without,
                crash_at,
                ..DemoArgs::default()
            };
            assert!(real.apply().is_err(), "{real:?}");
        }
        assert!(DemoArgs::default().apply().is_ok());
    }
}
