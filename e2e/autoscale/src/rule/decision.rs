use std::fmt::{self, Display};

/// How many instances there shall be, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// How many there are.
    pub from: u32,
    /// How many there shall be.
    pub to: u32,
    /// How many would be right by what was counted, before anything else is asked.
    pub wanted: Option<u32>,
    /// What has decided.
    pub reason: Reason,
}

/// What has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There are as many as wanted.
    Enough,
    /// What is wanted is done.
    Demand,
    /// More are wanted than there may be.
    Most,
    /// Fewer are wanted than there have to be.
    Least,
    /// Others were wanted within the stabilisation window.
    Window,
    /// The policies allow no more change for now.
    Pace,
    /// A trigger says nothing, and without it nobody can say that fewer would do.
    Unknown,
    /// Somebody has stopped the service.
    Stopped,
}

impl Decision {
    /// Whether something is to be done.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.from != self.to
    }
}

impl Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, .. } = self;
        if self.is_change() {
            write!(f, "{from} -> {to}: ")?;
        } else {
            write!(f, "stays at {to}: ")?;
        }
        if let Some(wanted) = self.wanted.filter(|_| self.reason != Reason::Enough) {
            write!(f, "{wanted} wanted, ")?;
        }
        f.write_str(match self.reason {
            Reason::Enough => "that is enough",
            Reason::Demand => "and nothing is against it",
            Reason::Most => "no more allowed",
            Reason::Least => "no fewer allowed",
            Reason::Window => "not for long enough yet",
            Reason::Pace => "one step at a time",
            Reason::Unknown => "a broker says nothing",
            Reason::Stopped => "it is stopped, and that is left alone",
        })
    }
}
