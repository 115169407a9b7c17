use serde::Serialize;

/// How many orders have come to which end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Paid in time.
    pub paid: usize,
    /// Cancelled, after their client had asked for it.
    pub cancelled: usize,
    /// Without the stock for them.
    pub rejected: usize,
    /// Cancelled, although nobody had asked for it: their payment deadline has passed.
    pub expired: usize,
}

impl Outcomes {
    pub(super) fn add(&mut self, status: &str, client_asks_to_cancel: bool) {
        let count = match status {
            "paid" => &mut self.paid,
            "rejected" => &mut self.rejected,
            "cancelled" if client_asks_to_cancel => &mut self.cancelled,
            "cancelled" => &mut self.expired,
            _ => return,
        };
        *count += 1;
    }
}
