use contracts::Line;

use super::Decision;

/// What was decided for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The latest decision.
    pub status: Status,
    /// What was set aside; empty when nothing ever was.
    pub lines: Vec<Line>,
    /// Why nothing was set aside, if it was refused.
    pub reason: Option<String>,
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

    /// The answer to whoever asks for the same reservation once more. Nobody waits for one once the order is
    /// cancelled or paid.
    pub(super) fn again(&self) -> Decision {
        match self.status {
            Status::Reserved => Decision::ReservedBefore,
            Status::Refused => {
                let reason = self.reason.as_deref();
                Decision::RefusedBefore(reason.unwrap_or("it was refused before").to_owned())
            }
            Status::Released | Status::Sold => Decision::Unchanged(self.status),
        }
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
