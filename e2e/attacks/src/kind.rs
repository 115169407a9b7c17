use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;
use harness::Compose;

use super::{Alarm, Broker, Fault};

/// The kinds of faults, of which every [`Lane`](super::Lane) has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Fault")]
pub enum Kind {
    KillService,
    StopService,
    CutService,
    RollingRestart,
    Scale,
    KillRabbitmq,
    KillKafka,
    PauseRabbitmq,
    PauseKafka,
    CutBroker,
    FullQueue,
    BlockedPublishers,
    Tidied,
    KillNode(Broker),
    PauseNode(Broker),
    CutNode(Broker),
    CutFromPeers(Broker),
    RestartNodes(Broker),
    KillPostgres,
    PausePostgres,
    CutPostgres,
    SlowDatabase,
    ReadOnlyDatabase,
    WrongPassword,
    HeldSnapshot,
    MailRefuses,
    MailHangs,
    SlowMail,
    BusyMail,
    DeadMail,
    Poison,
    Duplicates,
    ForeignMessages,
    ForeignRequests,
    FloodOfReads,
}

/// Queues that may become full.
const QUEUES: [&str; 5] = [
    contracts::topology::STOCK_COMMANDS,
    contracts::topology::NOTIFICATION_EMAIL,
    contracts::topology::NOTIFICATION_SMS,
    contracts::topology::NOTIFICATION_PUSH,
    contracts::topology::PAYMENT_DEADLINES,
];
const BROKERS: [&str; 2] = ["rabbitmq", "kafka"];

/// For how many milliseconds trouble lasts in a run of so few faults that each comes once.
const SHORT: Range<u64> = 6_000..10_000;
const FEW: u64 = 30;
/// The same in a run of so many: a minute at least.
const LONG: Range<u64> = 60_000..120_000;
const MANY: u64 = 200;

impl Kind {
    /// Whether it is trouble that lasts, and not a jolt: everybody runs out of retries meanwhile. It lasts
    /// the longer, the more faults a run has.
    #[must_use]
    pub fn is_long(self) -> bool {
        matches!(
            self,
            Self::BlockedPublishers
                | Self::Tidied
                | Self::PausePostgres
                | Self::ReadOnlyDatabase
                | Self::WrongPassword
                | Self::HeldSnapshot
                | Self::SlowMail
                | Self::BusyMail
                | Self::DeadMail
                | Self::ForeignMessages
                | Self::ForeignRequests
                | Self::FloodOfReads
        )
    }

    /// For how many milliseconds it may last, in a run of so many faults.
    pub(super) fn hold(self, faults: usize) -> Range<u64> {
        if self.is_long() {
            let faults = u64::try_from(faults).unwrap_or(MANY).clamp(FEW, MANY);
            let between = |short, long| short + (long - short) * (faults - FEW) / (MANY - FEW);
            return between(SHORT.start, LONG.start)..between(SHORT.end, LONG.end);
        }
        match self {
            Self::RollingRestart | Self::RestartNodes(_) | Self::Poison => 0..1,
            Self::Duplicates => 1_000..3_000,
            Self::KillService => 0..5_000,
            Self::KillRabbitmq | Self::KillKafka | Self::KillNode(_) | Self::KillPostgres => {
                500..5_000
            }
            // Long enough for everything that a stopped process holds to go over to others.
            Self::StopService
            | Self::PauseRabbitmq
            | Self::PauseKafka
            | Self::PauseNode(_)
            | Self::CutFromPeers(_)
            | Self::MailHangs => 2_000..15_000,
            Self::CutService | Self::CutBroker | Self::CutNode(_) | Self::CutPostgres => {
                2_000..10_000
            }
            _ => 3_000..8_000,
        }
    }

    /// About how long it takes to bring it about and to heal it, on a machine that is busy.
    pub(super) fn effort(self) -> Duration {
        Duration::from_secs(match self {
            Self::RestartNodes(_) => 50,
            Self::RollingRestart => 30,
            // Until the node has all that it missed.
            Self::KillNode(_) | Self::CutFromPeers(_) => 15,
            Self::PauseNode(_) | Self::CutNode(_) => 10,
            Self::KillRabbitmq | Self::KillKafka | Self::Tidied => 10,
            Self::Scale
            | Self::Duplicates
            | Self::FullQueue
            | Self::BlockedPublishers
            | Self::DeadMail => 5,
            _ => 2,
        })
    }

    pub(super) fn fault(self, rng: &mut Rng) -> Fault {
        let service = Compose::SERVICES[rng.usize(..Compose::SERVICES.len())];
        let pick = rng.usize(..1_000);
        let kill = |service| Fault::Kill { service, pick };
        let pause = |service| Fault::Pause { service };
        let cut = |service| Fault::Cut { service, pick };
        let node = |broker: Broker| broker.nodes()[pick % Broker::NODES];
        match self {
            Self::KillService => kill(service),
            Self::StopService => Fault::Stop { service, pick },
            Self::CutService => cut(service),
            Self::RollingRestart => Fault::RollingRestart,
            Self::Scale => Fault::Scale {
                service,
                instances: [1, 3, 4][rng.usize(..3)],
            },
            Self::Poison => Fault::Poison { seed: rng.u64(..) },
            Self::Duplicates => Fault::Duplicates,
            Self::KillRabbitmq => kill("rabbitmq"),
            Self::KillKafka => kill("kafka"),
            Self::PauseRabbitmq => pause("rabbitmq"),
            Self::PauseKafka => pause("kafka"),
            Self::CutBroker => cut(BROKERS[rng.usize(..BROKERS.len())]),
            Self::KillNode(broker) => kill(node(broker)),
            Self::PauseNode(broker) => pause(node(broker)),
            Self::CutNode(broker) => cut(node(broker)),
            Self::CutFromPeers(broker) => Fault::CutFromPeers { node: node(broker) },
            Self::RestartNodes(broker) => Fault::RestartNodes { broker },
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
            Self::KillPostgres => kill("postgres"),
            Self::PausePostgres => pause("postgres"),
            Self::CutPostgres => cut("postgres"),
            Self::SlowDatabase => Fault::SlowDatabase {
                millicores: rng.i64(30..150),
            },
            Self::ReadOnlyDatabase => Fault::ReadOnlyDatabase { service },
            Self::WrongPassword => Fault::WrongPassword { service },
            Self::HeldSnapshot => Fault::HeldSnapshot { service },
            Self::MailRefuses => kill("mail"),
            Self::MailHangs => pause("mail"),
            Self::SlowMail => Fault::SlowMail {
                seconds: [3, 30][rng.usize(..2)],
            },
            Self::BusyMail => Fault::BusyMail {
                at_greeting: rng.bool(),
            },
            Self::DeadMail => Fault::DeadMail {
                limit: rng.u32(1..50),
            },
            Self::Tidied => Fault::Tidied { seed: rng.u64(..) },
            Self::ForeignMessages => Fault::ForeignMessages { seed: rng.u64(..) },
            Self::ForeignRequests => Fault::ForeignRequests { seed: rng.u64(..) },
            Self::FloodOfReads => Fault::FloodOfReads,
        }
    }
}
