//! Named places in the code where a process can be made to die or to stall, once, so that a test can
//! show that nothing is lost or doubled there.
//!
//! Off unless `CRASH_AT` names a point; then passing a point costs one load.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::transport::Transport;

/// Between two steps that both have an effect elsewhere. In the order in which a message meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum CrashPoint {
    /// The rows of the outbox are written, their transaction is not committed.
    OutboxWritten,
    /// The transaction is committed, the relay does not know of it.
    OutboxCommitted,
    /// The relay has taken rows for RabbitMQ and published none.
    RabbitmqTaken,
    /// The rows are on their way to RabbitMQ, nothing is confirmed.
    RabbitmqPublished,
    /// RabbitMQ has confirmed the rows, they are still in the outbox.
    RabbitmqConfirmed,
    /// The relay has taken rows for Kafka and published none.
    KafkaTaken,
    /// The rows are on their way to Kafka, nothing is confirmed.
    KafkaPublished,
    /// Kafka has confirmed the rows, they are still in the outbox.
    KafkaConfirmed,
    /// A message is in the inbox, its handler has not begun.
    InboxClaimed,
    /// The handler is done, its transaction is not committed.
    Handled,
    /// The handler has committed, the delivery is not acknowledged.
    QueueCommitted,
    /// What failed waits in another queue, its delivery is not acknowledged.
    QueueMovedOn,
    /// The delivery is acknowledged, the next one not taken.
    QueueAcknowledged,
    /// The handler has committed, the offset is not stored.
    TopicCommitted,
    /// The dead letters of a topic are confirmed, the offset is not stored.
    TopicDeadLettered,
    /// The offset is stored, the broker does not know of it.
    TopicStored,
    /// An effect that cannot be undone is claimed and has not begun.
    EffectClaimed,
    /// A provider has taken a notification, the handler has not committed that it did.
    ProviderAccepted,
}

impl CrashPoint {
    pub(crate) fn taken(transport: Transport) -> Self {
        match transport {
            Transport::RabbitMq => Self::RabbitmqTaken,
            Transport::Kafka => Self::KafkaTaken,
        }
    }

    pub(crate) fn confirmed(transport: Transport) -> Self {
        match transport {
            Transport::RabbitMq => Self::RabbitmqConfirmed,
            Transport::Kafka => Self::KafkaConfirmed,
        }
    }
}

/// What to do at the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Crash {
    /// End at once, as by `kill -9`.
    #[default]
    Abort,
    /// Hold still until the whole process was stopped and continued by a signal, then go on.
    Stop,
}

struct Armed {
    point: CrashPoint,
    crash: Crash,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms a point for the rest of this process.
pub(crate) fn arm(point: CrashPoint, crash: Crash) {
    ARMED.get_or_init(|| Armed { point, crash });
}

/// Passes a point: nothing happens unless this one is armed and has not struck before.
pub fn reach(point: CrashPoint) {
    if let Some(armed) = ARMED.get().filter(|armed| armed.point == point) {
        armed.strike();
    }
}

impl Armed {
    /// A file remembers that it happened, for the process that is started in place of this one, and
    /// for whoever wants to know whether the point was hit.
    fn strike(&self) {
        let new = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(marker(self.point));
        // It struck before, or cannot be remembered: a process that dies at every start is no test.
        let Ok(mut file) = new else { return };
        writeln!(file, "{:?}", self.crash).ok();
        eprintln!("crash point {:?}: {:?}", self.point, self.crash);
        match self.crash {
            Crash::Abort => std::process::abort(),
            Crash::Stop => hold_still(),
        }
    }
}

/// A process cannot stop itself where it is the first one of a container, so it waits for the signal:
/// while it is stopped the clock goes on, and from that it knows that it was.
fn hold_still() {
    const STEP: Duration = Duration::from_millis(10);
    const STOPPED: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(30);
    let start = Instant::now();
    let mut before = start;
    while before - start < LONGEST {
        std::thread::sleep(STEP);
        let now = Instant::now();
        if now - before > STOPPED {
            return;
        }
        before = now;
    }
}

/// Where it is remembered that a point has struck.
fn marker(point: CrashPoint) -> PathBuf {
    let name = point.to_possible_value();
    let name = name.as_ref().map_or("unknown", |value| value.get_name());
    std::env::temp_dir().join(format!("crash-point-{name}"))
}
