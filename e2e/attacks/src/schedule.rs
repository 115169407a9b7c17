use std::time::Duration;

use fastrand::Rng;

use super::{Fault, Kind};

/// Which faults come when.
///
/// There are three lanes, so that three things can be broken at once: a service, a broker, and the
/// database or the mail server. In each lane a fault is healed before the next one comes, and every kind
/// comes once before any comes again.
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
    DatabaseAndMail,
}

impl Lane {
    const ALL: [Self; 3] = [Self::Services, Self::Brokers, Self::DatabaseAndMail];

    /// The kinds that come in this lane. There are 20 in all, so that 20 faults are one of each.
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
            Self::Brokers => &[
                Kind::KillRabbitmq,
                Kind::KillKafka,
                Kind::PauseRabbitmq,
                Kind::PauseKafka,
                Kind::CutBroker,
                Kind::FullQueue,
                Kind::BlockedPublishers,
            ],
            Self::DatabaseAndMail => &[
                Kind::KillPostgres,
                Kind::PausePostgres,
                Kind::CutPostgres,
                Kind::SlowDatabase,
                Kind::MailRefuses,
                Kind::MailHangs,
            ],
        }
    }
}

impl Schedule {
    /// So many faults, a third of them in each lane; the same for the same seed.
    #[must_use]
    pub fn new(seed: u64, faults: usize) -> Self {
        // Neighbouring seeds give unlike schedules only if they are far apart.
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        // What cannot be divided goes to the first lanes.
        let shares = [faults.div_ceil(3), (faults + 1) / 3, faults / 3];
        let lanes = Lane::ALL.into_iter().zip(shares);
        Self {
            lanes: lanes
                .map(|(name, share)| (name, lane(name, share, &mut rng)))
                .collect(),
        }
    }

    /// How many of the faults can make an e-mail leave twice.
    #[must_use]
    pub fn interruptions(&self) -> usize {
        let planned = self.lanes.iter().flat_map(|(_, planned)| planned);
        planned.filter(|one| one.fault.interrupts_senders()).count()
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
            kind,
            fault: kind.fault(rng),
        }
    });
    planned.collect()
}

fn milliseconds(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}
