use std::fmt::{self, Display};

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
    /// One container loses its network.
    Cut { service: &'static str, pick: usize },
    /// A queue refuses messages beyond so many, and so does the one in which payment deadlines wait.
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
            Self::SlowDatabase { .. } | Self::RollingRestart => true,
            Self::FullQueue { .. }
            | Self::BlockedPublishers { .. }
            | Self::Poison { .. }
            | Self::Duplicates => false,
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
            Self::FullQueue { queue, limit } => {
                write!(f, "{queue} and the waiting deadlines limited to {limit}")
            }
            Self::BlockedPublishers { alarm } => write!(f, "publishers blocked, {alarm:?} alarm"),
            Self::SlowDatabase { millicores } => write!(f, "database on {millicores} millicores"),
            Self::Poison { .. } => f.write_str("poison everywhere"),
            Self::Duplicates => f.write_str("messages come again"),
            Self::RollingRestart => f.write_str("rolling restart"),
            Self::Scale { service, instances } => write!(f, "{service} scaled to {instances}"),
        }
    }
}
