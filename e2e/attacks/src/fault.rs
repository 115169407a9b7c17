use std::fmt::{self, Display};

use super::Broker;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant documents its fields")]
pub enum Fault {
    /// `kill -9` of one container, started again later. `pick` chooses among the instances.
    Kill { service: &'static str, pick: usize },
    /// SIGSTOP of the only process of one container, then SIGCONT: it does not answer, and does not
    /// know it.
    Stop { service: &'static str, pick: usize },
    /// The same for a container of many processes: all of them at once.
    Pause { service: &'static str },
    /// One container loses its networks.
    Cut { service: &'static str, pick: usize },
    /// One node of a broker loses the network that only nodes share, and clients still reach it.
    CutFromPeers { node: &'static str },
    /// Every node of a broker is restarted, one after the other.
    RestartNodes { broker: Broker },
    /// A queue refuses messages beyond so many, and so does the one in which payment deadlines wait.
    FullQueue { queue: &'static str, limit: u32 },
    /// The broker blocks publishers, as it does before memory or disk run out.
    BlockedPublishers { alarm: Alarm },
    /// The database gets so many thousandths of a core.
    SlowDatabase { millicores: i64 },
    /// The database of a service cannot be written to, as after a failover to a replica.
    ReadOnlyDatabase { service: &'static str },
    /// The database does not let a service in.
    WrongPassword { service: &'static str },
    /// Somebody keeps a transaction open in the database of a service, so that no row that dies meanwhile can be
    /// removed.
    HeldSnapshot { service: &'static str },
    /// The mail server takes an e-mail at once and says so after so many seconds.
    SlowMail { seconds: u64 },
    /// The mail server answers 421 to everybody, either to whoever comes or only to whoever has an e-mail.
    BusyMail { at_greeting: bool },
    /// The mail server is gone for so long that the queue of e-mails refuses what is beyond so many.
    DeadMail { limit: u32 },
    /// Exchanges, bindings and empty queues are deleted, one after the other.
    Tidied { seed: u64 },
    /// Messages that nobody can handle, in every queue and topic.
    Poison { seed: u64 },
    /// Messages that were handled come again, with their ids.
    Duplicates,
    /// Bytes that no producer of ours sends, in every queue and topic, again and again.
    ForeignMessages { seed: u64 },
    /// Three requests a second that are none of the API's.
    ForeignRequests { seed: u64 },
    /// Many clients read the longest page of orders, again and again.
    FloodOfReads,
    /// Every instance of every service is restarted, one after the other.
    RollingRestart,
    /// Another number of instances for a while.
    Scale {
        service: &'static str,
        instances: usize,
    },
}

/// Why a broker blocks its publishers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "says it all")]
pub enum Alarm {
    Memory,
    Disk,
}

impl Fault {
    /// Whether a sender can lose the mail server by it while an e-mail is on its way, so that it never
    /// learns whether the e-mail was delivered.
    #[must_use]
    pub fn cuts_off_mail(&self) -> bool {
        match self {
            Self::Kill { service, .. } => *service == "mail",
            Self::DeadMail { .. } => true,
            Self::Cut { service, .. } => *service == "notification",
            _ => false,
        }
    }

    /// Whether it can come between the mail server's answer and the commit of whoever sent the e-mail,
    /// so that the e-mail is sent again.
    #[must_use]
    pub fn interrupts_senders(&self) -> bool {
        match self {
            Self::Kill { service, .. }
            | Self::Stop { service, .. }
            | Self::Pause { service }
            | Self::Cut { service, .. }
            | Self::Scale { service, .. } => ["notification", "postgres", "mail"].contains(service),
            Self::ReadOnlyDatabase { service } | Self::WrongPassword { service } => {
                *service == "notification"
            }
            Self::SlowDatabase { .. }
            | Self::RollingRestart
            | Self::SlowMail { .. }
            | Self::DeadMail { .. } => true,
            Self::CutFromPeers { .. }
            | Self::RestartNodes { .. }
            | Self::FullQueue { .. }
            | Self::BlockedPublishers { .. }
            | Self::HeldSnapshot { .. }
            | Self::FloodOfReads
            | Self::BusyMail { .. }
            | Self::Tidied { .. }
            | Self::Poison { .. }
            | Self::Duplicates
            | Self::ForeignMessages { .. }
            | Self::ForeignRequests { .. } => false,
        }
    }
}

impl Fault {
    /// The broker that misses one of its nodes meanwhile.
    #[must_use]
    pub fn broker(&self) -> Option<Broker> {
        match self {
            Self::Kill { service, .. } | Self::Pause { service } | Self::Cut { service, .. } => {
                Broker::of(service)
            }
            Self::CutFromPeers { node } => Broker::of(node),
            Self::RestartNodes { broker } => Some(*broker),
            _ => None,
        }
    }

    /// Whether orders may have to wait meanwhile, however many nodes the brokers have.
    #[must_use]
    pub fn holds_up_orders(&self) -> bool {
        match self {
            Self::Kill { service, .. } | Self::Pause { service } | Self::Cut { service, .. } => {
                *service == "postgres"
            }
            Self::SlowDatabase { .. }
            | Self::ReadOnlyDatabase { .. }
            | Self::WrongPassword { .. }
            | Self::FullQueue { .. }
            | Self::BlockedPublishers { .. }
            | Self::Tidied { .. } => true,
            _ => false,
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { service, .. } => write!(f, "kill -9 {service}"),
            Self::Stop { service, .. } => write!(f, "SIGSTOP {service}"),
            Self::Pause { service } => write!(f, "freeze {service}"),
            Self::Cut { service, .. } => write!(f, "cut off {service}"),
            Self::CutFromPeers { node } => write!(f, "cut off {node} from its peers"),
            Self::RestartNodes { broker } => {
                write!(f, "rolling restart of the nodes of {broker}")
            }
            Self::FullQueue { queue, limit } => {
                write!(f, "{queue} and the waiting deadlines limited to {limit}")
            }
            Self::BlockedPublishers { alarm } => write!(f, "publishers blocked, {alarm:?} alarm"),
            Self::SlowDatabase { millicores } => write!(f, "database on {millicores} millicores"),
            Self::ReadOnlyDatabase { service } => write!(f, "database of {service} read-only"),
            Self::WrongPassword { service } => write!(f, "another password for {service}"),
            Self::HeldSnapshot { service } => {
                write!(f, "a transaction stays open in the database of {service}")
            }
            Self::DeadMail { limit } => {
                write!(f, "no mail server, and its queue limited to {limit}")
            }
            Self::FloodOfReads => f.write_str("a flood of reads"),
            Self::SlowMail { seconds } => {
                write!(f, "mail server takes {seconds} s for each e-mail")
            }
            Self::BusyMail { at_greeting: true } => f.write_str("mail server lets nobody in (421)"),
            Self::BusyMail { at_greeting: false } => f.write_str("mail server takes nothing (421)"),
            Self::Tidied { .. } => f.write_str("exchanges, bindings and empty queues deleted"),
            Self::Poison { .. } => f.write_str("poison everywhere"),
            Self::ForeignMessages { .. } => f.write_str("foreign bytes in every queue and topic"),
            Self::ForeignRequests { .. } => f.write_str("foreign requests"),
            Self::Duplicates => f.write_str("messages come again"),
            Self::RollingRestart => f.write_str("rolling restart"),
            Self::Scale { service, instances } => write!(f, "{service} scaled to {instances}"),
        }
    }
}
