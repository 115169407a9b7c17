//! What a demonstration may switch off or break: one guarantee, to show what it is for, and a crash
//! point. Refused unless `SPILLWAY_DEMO` says that nothing here is real.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::ensure;
use clap::ValueEnum;
use uuid::Uuid;

use crate::crash_point::{self, Crash, CrashPoint};
use crate::outbox::{NewRow, Row, Transport};

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

/// What stands in for the table of the outbox where there is none: it dies with the process.
static MEMORY: Mutex<Memory> = Mutex::new(Memory::new());

struct Memory {
    rows: VecDeque<(Transport, Row)>,
    last: i64,
}

/// Keeps messages in memory.
pub(crate) fn keep(rows: Vec<NewRow>) {
    MEMORY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .keep(rows);
}

/// The same as [`outbox::advance`](crate::outbox::advance) on what is kept in memory.
pub(crate) fn advance(transport: Transport, confirmed: &[i64], limit: i64) -> Vec<Row> {
    let limit = usize::try_from(limit).unwrap_or_default();
    MEMORY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .advance(transport, confirmed, limit)
}

impl Memory {
    const fn new() -> Self {
        Self {
            rows: VecDeque::new(),
            last: 0,
        }
    }

    fn keep(&mut self, rows: Vec<NewRow>) {
        for row in rows {
            self.last += 1;
            let kept = Row {
                seq: self.last,
                message_id: Uuid::now_v7(),
                destination: row.destination.to_owned(),
                routing_key: row.routing_key,
                message_type: row.message_type.to_owned(),
                traceparent: row.traceparent,
                body: row.body,
                created_at: jiff::Timestamp::now().into(),
                attempts: 0,
            };
            self.rows.push_back((row.transport, kept));
        }
    }

    fn advance(&mut self, transport: Transport, confirmed: &[i64], limit: usize) -> Vec<Row> {
        let confirmed: HashSet<i64> = confirmed.iter().copied().collect();
        self.rows.retain(|(_, row)| !confirmed.contains(&row.seq));
        let due = self.rows.iter().filter(|(of, _)| *of == transport);
        due.map(|(_, row)| row.clone()).take(limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(transport: Transport, routing_key: &str) -> NewRow {
        NewRow {
            transport,
            destination: "parcels",
            routing_key: routing_key.to_owned(),
            ordering_key: String::new(),
            message_type: "test.parcel.v1",
            traceparent: None,
            body: Vec::new(),
        }
    }

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

    #[test]
    fn what_is_kept_in_memory_waits_in_order_until_it_is_confirmed() {
        let mut memory = Memory::new();
        memory.keep(vec![
            row(Transport::Kafka, "a"),
            row(Transport::RabbitMq, "b"),
            row(Transport::Kafka, "c"),
            row(Transport::Kafka, "d"),
        ]);
        let keys = |rows: &[Row]| {
            let keys: Vec<_> = rows.iter().map(|row| row.routing_key.clone()).collect();
            keys.concat()
        };
        let first = memory.advance(Transport::Kafka, &[], 2);
        assert_eq!(keys(&first), "ac");
        let second = memory.advance(Transport::Kafka, &[first[0].seq], 10);
        assert_eq!(keys(&second), "cd");
        assert_eq!(keys(&memory.advance(Transport::RabbitMq, &[], 10)), "b");
    }
}
