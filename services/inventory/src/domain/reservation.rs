use contracts::Line;

/// What was decided for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The latest decision.
    pub status: Status,
    /// What was set aside; empty when nothing ever was.
    pub lines: Vec<Line>,
    /// Rises by one with every decision.
    pub version: i32,
}

/// The states of a reservation: `reserved -> released | sold`, and `refused`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Status {
    Reserved,
    Refused,
    Released,
    Sold,
}

impl Reservation {
    /// Whether the release came before the reservation.
    pub(super) fn is_release_in_advance(&self) -> bool {
        self.status == Status::Released && self.lines.is_empty()
    }
}

impl Status {
    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Reserved, Self::Refused, Self::Released, Self::Sold];
        all.into_iter().find(|status| status.as_str() == name)
    }

    /// The name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Refused => "refused",
            Self::Released => "released",
            Self::Sold => "sold",
        }
    }
}
