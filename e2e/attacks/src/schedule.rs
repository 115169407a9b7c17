use std::time::Duration;

use fastrand::Rng;

use super::{Broker, Fault, Kind};

/// Which faults come when.
///
/// There are five lanes, so that five things can be wrong at once: a service, a broker, the database, the mail
/// server, and what strangers send. In each lane a fault is healed before the next one comes, and every
/// kind comes once before any comes again.
///
/// A cluster has a lane for each broker. So one node of both may be away at once, and never two of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// What happens in each lane.
    pub lanes: Vec<(Lane, Vec<Planned>)>,
}

/// One fault and when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// How long after the one before was healed.
    pub pause: Duration,
    /// Of which kind it is.
    pub kind: Kind,
    /// What happens.
    pub fault: Fault,
    /// How long it lasts.
    pub hold: Duration,
}

/// Where a fault belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "see Schedule")]
pub enum Lane {
    Services,
    Brokers,
    Rabbitmq,
    Kafka,
    Database,
    Mail,
    Strangers,
}

impl Lane {
    /// All of a system with one node of each broker.
    pub const ALL: [Self; 5] = [
        Self::Services,
        Self::Brokers,
        Self::Database,
        Self::Mail,
        Self::Strangers,
    ];

    /// All of a cluster.
    pub const CLUSTER: [Self; 6] = [
        Self::Services,
        Self::Rabbitmq,
        Self::Kafka,
        Self::Database,
        Self::Mail,
        Self::Strangers,
    ];

    /// The kinds that come in this lane. There are 30 in all, so that 30 faults are one of each; 35 for a cluster.
    #[must_use]
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Services => &[
                Kind::KillService,
                Kind::StopService,
                Kind::CutService,
                Kind::RollingRestart,
                Kind::Scale,
            ],
            Self::Brokers => &[
                Kind::KillRabbitmq,
                Kind::KillKafka,
                Kind::PauseRabbitmq,
                Kind::PauseKafka,
                Kind::CutBroker,
                Kind::FullQueue,
                Kind::BlockedPublishers,
                Kind::Tidied,
            ],
            Self::Rabbitmq => &[
                Kind::KillNode(Broker::Rabbitmq),
                Kind::PauseNode(Broker::Rabbitmq),
                Kind::CutNode(Broker::Rabbitmq),
                Kind::CutFromPeers(Broker::Rabbitmq),
                Kind::RestartNodes(Broker::Rabbitmq),
                Kind::FullQueue,
                Kind::BlockedPublishers,
                Kind::Tidied,
            ],
            Self::Kafka => &[
                Kind::KillNode(Broker::Kafka),
                Kind::PauseNode(Broker::Kafka),
                Kind::CutNode(Broker::Kafka),
                Kind::CutFromPeers(Broker::Kafka),
                Kind::RestartNodes(Broker::Kafka),
            ],
            Self::Database => &[
                Kind::KillPostgres,
                Kind::PausePostgres,
                Kind::CutPostgres,
                Kind::SlowDatabase,
                Kind::ReadOnlyDatabase,
                Kind::WrongPassword,
                Kind::HeldSnapshot,
            ],
            Self::Mail => &[
                Kind::MailRefuses,
                Kind::MailHangs,
                Kind::SlowMail,
                Kind::BusyMail,
                Kind::DeadMail,
            ],
            Self::Strangers => &[
                Kind::Poison,
                Kind::Duplicates,
                Kind::ForeignMessages,
                Kind::ForeignRequests,
                Kind::FloodOfReads,
            ],
        }
    }
}

impl Schedule {
    /// So many faults, in each lane as many as it has kinds among all; the same for the same seed. What is
    /// long lasts the longer, the more there are.
    #[must_use]
    pub fn new(seed: u64, faults: usize) -> Self {
        Self::of(&Lane::ALL, seed, faults)
    }

    /// The same for a cluster.
    #[must_use]
    pub fn for_cluster(seed: u64, faults: usize) -> Self {
        Self::of(&Lane::CLUSTER, seed, faults)
    }

    fn of(lanes: &[Lane], seed: u64, faults: usize) -> Self {
        // Neighbouring seeds give unlike schedules only if they are far apart.
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let all: usize = lanes.iter().map(|lane| lane.kinds().len()).sum();
        let mut kinds = 0;
        let lanes = lanes.iter().map(|&name| {
            let before = faults * kinds / all;
            kinds += name.kinds().len();
            let share = faults * kinds / all - before;
            (name, lane(name, share, faults, &mut rng))
        });
        Self {
            lanes: lanes.collect(),
        }
    }

    /// How many of the faults can make an e-mail leave twice.
    #[must_use]
    pub fn interruptions(&self) -> usize {
        self.count(Fault::interrupts_senders)
    }

    /// How many of the faults can leave it in doubt whether an e-mail was delivered.
    #[must_use]
    pub fn cut_offs(&self) -> usize {
        self.count(Fault::cuts_off_mail)
    }

    fn count(&self, of: fn(&Fault) -> bool) -> usize {
        let planned = self.lanes.iter().flat_map(|(_, planned)| planned);
        planned.filter(|one| of(&one.fault)).count()
    }

    /// About how long it takes on a machine that is busy.
    #[must_use]
    pub fn length(&self) -> Duration {
        let length = |(_, planned): &(Lane, Vec<Planned>)| {
            let lasts = |one: &Planned| one.pause + one.hold + one.kind.effort();
            planned.iter().map(lasts).sum()
        };
        self.lanes.iter().map(length).max().unwrap_or_default()
    }
}

fn lane(lane: Lane, share: usize, faults: usize, rng: &mut Rng) -> Vec<Planned> {
    let mut deck = Vec::new();
    let planned = (0..share).map(|_| {
        if deck.is_empty() {
            deck.extend_from_slice(lane.kinds());
            rng.shuffle(&mut deck);
        }
        let kind = deck.pop().unwrap_or(Kind::KillService);
        Planned {
            pause: milliseconds(rng, 500..3_000),
            hold: milliseconds(rng, kind.hold(faults)),
            kind,
            fault: kind.fault(rng),
        }
    });
    planned.collect()
}

fn milliseconds(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}
