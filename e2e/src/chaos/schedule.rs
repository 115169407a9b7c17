use std::fmt::{self, Display};
use std::time::Duration;

use fastrand::Rng;

use crate::Compose;

/// Which faults come when.
///
/// There are two lanes, so that two things can be broken at once: one for the services, one for what
/// they run on. In each lane a fault is healed before the next one comes, and every kind comes once
/// before any comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// What happens to the services.
    pub services: Vec<Planned>,
    /// What happens to brokers, database and mail server.
    pub infrastructure: Vec<Planned>,
}

/// One fault and when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// How long after the one before was healed.
    pub pause: Duration,
    /// What happens.
    pub fault: Fault,
    /// How long it lasts.
    pub hold: Duration,
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant documents its fields")]
pub enum Fault {
    /// `kill -9` of one container, started again later. `pick` chooses among the instances.
    Kill { service: &'static str, pick: usize },
    /// SIGSTOP of one container, then SIGCONT: it does not answer, and does not know it.
    Stop { service: &'static str, pick: usize },
    /// One container loses its network.
    Cut { service: &'static str, pick: usize },
    /// A queue refuses messages beyond so many.
    FullQueue { queue: &'static str, limit: u32 },
    /// The broker blocks publishers, as it does before memory or disk run out.
    BlockedPublishers { alarm: Alarm },
    /// The database gets so many thousandths of a core.
    SlowDatabase { millicores: i64 },
    /// Messages that nobody can handle, in every queue and topic.
    Poison { seed: u64 },
    /// Messages that were handled come again, with their ids.
    Duplicates,
    /// Every instance of every service is restarted, one after the other.
    RollingRestart,
    /// Another number of instances for a while.
    Scale {
        service: &'static str,
        instances: u32,
    },
}

/// Why a broker blocks its publishers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "says it all")]
pub enum Alarm {
    Memory,
    Disk,
}

/// Where a fault belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "see Schedule")]
pub enum Lane {
    Services,
    Infrastructure,
}

/// The kinds of faults, of which every lane has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Fault")]
pub enum Kind {
    KillService,
    StopService,
    CutService,
    RollingRestart,
    Scale,
    Poison,
    Duplicates,
    KillRabbitmq,
    KillKafka,
    KillPostgres,
    StopInfrastructure,
    CutInfrastructure,
    FullQueue,
    BlockedPublishers,
    SlowDatabase,
    MailRefuses,
    MailHangs,
}

/// Queues that may become full.
const QUEUES: [&str; 4] = [
    contracts::topology::STOCK_COMMANDS,
    contracts::topology::NOTIFICATION_EMAIL,
    contracts::topology::NOTIFICATION_PUSH,
    contracts::topology::PAYMENT_DEADLINES,
];
const INFRASTRUCTURE: [&str; 3] = ["rabbitmq", "kafka", "postgres"];

impl Lane {
    /// The kinds that come in this lane.
    #[must_use]
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Services => &[
                Kind::KillService,
                Kind::StopService,
                Kind::CutService,
                Kind::RollingRestart,
                Kind::Scale,
                Kind::Poison,
                Kind::Duplicates,
            ],
            Self::Infrastructure => &[
                Kind::KillRabbitmq,
                Kind::KillKafka,
                Kind::KillPostgres,
                Kind::StopInfrastructure,
                Kind::CutInfrastructure,
                Kind::FullQueue,
                Kind::BlockedPublishers,
                Kind::SlowDatabase,
                Kind::MailRefuses,
                Kind::MailHangs,
            ],
        }
    }
}

impl Schedule {
    /// So many faults; the same for the same seed.
    #[must_use]
    pub fn new(seed: u64, faults: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let services = faults / 2;
        Self {
            services: lane(Lane::Services, services, &mut rng),
            infrastructure: lane(Lane::Infrastructure, faults - services, &mut rng),
        }
    }

    /// About how long it takes.
    #[must_use]
    pub fn length(&self) -> Duration {
        let length = |lane: &[Planned]| lane.iter().map(|one| one.pause + one.hold).sum();
        let (services, infrastructure): (Duration, Duration) =
            (length(&self.services), length(&self.infrastructure));
        services.max(infrastructure)
    }
}

fn lane(lane: Lane, faults: usize, rng: &mut Rng) -> Vec<Planned> {
    let mut deck = Vec::new();
    let planned = (0..faults).map(|_| {
        if deck.is_empty() {
            deck.extend_from_slice(lane.kinds());
            rng.shuffle(&mut deck);
        }
        let kind = deck.pop().unwrap_or(Kind::KillService);
        Planned {
            pause: milliseconds(rng, 500..3_000),
            hold: milliseconds(rng, kind.hold()),
            fault: kind.fault(rng),
        }
    });
    planned.collect()
}

fn milliseconds(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}

impl Kind {
    /// For how many milliseconds it may last.
    fn hold(self) -> std::ops::Range<u64> {
        match self {
            Self::RollingRestart | Self::Poison => 0..1,
            Self::Duplicates => 1_000..3_000,
            Self::KillService => 0..5_000,
            Self::KillRabbitmq | Self::KillKafka | Self::KillPostgres => 500..5_000,
            Self::StopService | Self::StopInfrastructure => 2_000..15_000,
            Self::CutService | Self::CutInfrastructure => 2_000..12_000,
            Self::Scale
            | Self::FullQueue
            | Self::BlockedPublishers
            | Self::SlowDatabase
            | Self::MailRefuses
            | Self::MailHangs => 4_000..10_000,
        }
    }

    fn fault(self, rng: &mut Rng) -> Fault {
        let service = Compose::SERVICES[rng.usize(..Compose::SERVICES.len())];
        let infrastructure = INFRASTRUCTURE[rng.usize(..INFRASTRUCTURE.len())];
        let pick = rng.usize(..1_000);
        let kill = |service| Fault::Kill { service, pick };
        match self {
            Self::KillService => kill(service),
            Self::StopService => Fault::Stop { service, pick },
            Self::CutService => Fault::Cut { service, pick },
            Self::RollingRestart => Fault::RollingRestart,
            Self::Scale => Fault::Scale {
                service,
                instances: [1, 3, 4][rng.usize(..3)],
            },
            Self::Poison => Fault::Poison { seed: rng.u64(..) },
            Self::Duplicates => Fault::Duplicates,
            Self::KillRabbitmq => kill("rabbitmq"),
            Self::KillKafka => kill("kafka"),
            Self::KillPostgres => kill("postgres"),
            Self::StopInfrastructure => Fault::Stop {
                service: infrastructure,
                pick,
            },
            Self::CutInfrastructure => Fault::Cut {
                service: infrastructure,
                pick,
            },
            Self::FullQueue => Fault::FullQueue {
                queue: QUEUES[rng.usize(..QUEUES.len())],
                limit: rng.u32(1..50),
            },
            Self::BlockedPublishers => Fault::BlockedPublishers {
                alarm: if rng.bool() {
                    Alarm::Memory
                } else {
                    Alarm::Disk
                },
            },
            Self::SlowDatabase => Fault::SlowDatabase {
                millicores: rng.i64(30..150),
            },
            Self::MailRefuses => kill("mail"),
            Self::MailHangs => Fault::Stop {
                service: "mail",
                pick,
            },
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { service, .. } => write!(f, "kill -9 {service}"),
            Self::Stop { service, .. } => write!(f, "SIGSTOP {service}"),
            Self::Cut { service, .. } => write!(f, "cut off {service}"),
            Self::FullQueue { queue, limit } => write!(f, "{queue} is full at {limit}"),
            Self::BlockedPublishers { alarm } => write!(f, "publishers blocked, {alarm:?} alarm"),
            Self::SlowDatabase { millicores } => write!(f, "database on {millicores} millicores"),
            Self::Poison { .. } => f.write_str("poison everywhere"),
            Self::Duplicates => f.write_str("messages come again"),
            Self::RollingRestart => f.write_str("rolling restart"),
            Self::Scale { service, instances } => write!(f, "{service} scaled to {instances}"),
        }
    }
}
