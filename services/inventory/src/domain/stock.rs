use std::collections::{BTreeMap, BTreeSet};

use contracts::{Line, MAX_SKU_LENGTH, StockCommand};
use uuid::Uuid;

use super::{Level, Reservation, Status};

/// Most pieces of one product in one order.
pub const MAX_QUANTITY: i64 = 1_000;

/// The stock levels and reservations that a batch of commands is about.
///
/// It is loaded from locked rows, decides about the commands one after the other, and then knows
/// which rows have to be written.
#[derive(Debug, Default)]
pub struct Stock {
    levels: BTreeMap<String, Level>,
    reservations: BTreeMap<Uuid, Reservation>,
    changed_levels: BTreeSet<String>,
    changed_reservations: BTreeSet<Uuid>,
    removed_up_to: Option<Uuid>,
}

/// The outcome of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// All lines are set aside.
    Reserved,
    /// Nothing is set aside, for this reason.
    Refused(String),
    /// All lines are set aside since an earlier command, whose answer may be lost.
    ReservedBefore,
    /// Nothing is set aside since an earlier command, for this reason.
    RefusedBefore(String),
    /// What was set aside is back on the shelf, or will never be set aside.
    Released,
    /// What was set aside is sold.
    Sold,
    /// The command changes nothing, because this was decided before.
    Unchanged(Status),
    /// The command contradicts what was decided before, for this reason, and always will.
    Impossible(String),
}

impl Stock {
    /// The stock as it was loaded. What is not in it does not exist.
    #[must_use]
    pub fn new(levels: BTreeMap<String, Level>, reservations: BTreeMap<Uuid, Reservation>) -> Self {
        Self {
            levels,
            reservations,
            ..Self::default()
        }
    }

    /// What was decided about orders up to this one may have been removed, unless it set something aside.
    #[must_use]
    pub fn removed_up_to(self, removed_up_to: Option<Uuid>) -> Self {
        Self {
            removed_up_to,
            ..self
        }
    }

    /// Decides about one command.
    pub fn decide(&mut self, command: &StockCommand) -> Decision {
        match command {
            StockCommand::ReserveStock(command) => self.reserve(command.order_id, &command.lines),
            StockCommand::ReleaseStock(command) => self.release(command.order_id),
            StockCommand::SellStock(command) => self.sell(command.order_id),
        }
    }

    /// The levels that differ from what was loaded, in the order of their SKUs.
    pub fn changed_levels(&self) -> impl Iterator<Item = (&String, &Level)> {
        self.changed_levels
            .iter()
            .filter_map(|sku| self.levels.get_key_value(sku))
    }

    /// The reservations that differ from what was loaded, in the order of their ids.
    pub fn changed_reservations(&self) -> impl Iterator<Item = (&Uuid, &Reservation)> {
        self.changed_reservations
            .iter()
            .filter_map(|id| self.reservations.get_key_value(id))
    }

    fn reserve(&mut self, order_id: Uuid, lines: &[Line]) -> Decision {
        match self.reservations.get(&order_id) {
            Some(earlier) if earlier.is_release_in_advance() => {
                let reason = "the order was cancelled before its stock was reserved";
                return self.refuse(order_id, reason.to_owned());
            }
            Some(earlier) => return earlier.again(),
            // It may be cancelled by now, or be sold: its pieces would be set aside for ever.
            None if self.may_be_removed(order_id) => {
                let reason = "the order is so old that what was decided about it may be removed";
                return self.refuse(order_id, reason.to_owned());
            }
            None => {}
        }
        if let Some(reason) = self.reason_to_refuse(lines) {
            return self.refuse(order_id, reason);
        }
        self.move_pieces(lines, |level, quantity| {
            level.available -= quantity;
            level.reserved += quantity;
        });
        self.record(order_id, Status::Reserved, lines);
        Decision::Reserved
    }

    fn refuse(&mut self, order_id: Uuid, reason: String) -> Decision {
        let reservation = self.record(order_id, Status::Refused, &[]);
        reservation.reason = Some(reason.clone());
        Decision::Refused(reason)
    }

    fn release(&mut self, order_id: Uuid) -> Decision {
        match self.reservations.get(&order_id).cloned() {
            Some(earlier) if earlier.status == Status::Reserved => {
                self.move_pieces(&earlier.lines, |level, quantity| {
                    level.reserved -= quantity;
                    level.available += quantity;
                });
            }
            Some(earlier) => return Decision::Unchanged(earlier.status),
            None if self.may_be_removed(order_id) => {
                return Decision::Unchanged(Status::Released);
            }
            // The release has overtaken the reservation. It is remembered, so that the reservation
            // is refused when it comes.
            None => {}
        }
        self.record(order_id, Status::Released, &[]);
        Decision::Released
    }

    fn sell(&mut self, order_id: Uuid) -> Decision {
        match self.reservations.get(&order_id).cloned() {
            Some(earlier) if earlier.status == Status::Reserved => {
                self.move_pieces(&earlier.lines, |level, quantity| {
                    level.reserved -= quantity;
                    level.sold += quantity;
                });
                self.record(order_id, Status::Sold, &[]);
                Decision::Sold
            }
            Some(earlier) if earlier.status == Status::Sold => Decision::Unchanged(Status::Sold),
            // A copy: what waits to be sold is never removed.
            None if self.may_be_removed(order_id) => Decision::Unchanged(Status::Sold),
            // Only an order whose reservation was answered can be paid, and only one that is not paid
            // can be cancelled: this sale has not overtaken anything.
            earlier => {
                let status = earlier.map_or("missing", |earlier| earlier.status.as_str());
                Decision::Impossible(format!(
                    "the reservation of order {order_id} is {status}, so it cannot be sold"
                ))
            }
        }
    }

    fn may_be_removed(&self, order_id: Uuid) -> bool {
        self.removed_up_to.is_some_and(|up_to| order_id <= up_to)
    }

    /// Why these lines cannot all be set aside.
    fn reason_to_refuse(&self, lines: &[Line]) -> Option<String> {
        if lines.is_empty() {
            return Some("the order has no lines".to_owned());
        }
        let mut seen = BTreeSet::new();
        lines.iter().find_map(|Line { sku, quantity }| {
            let Some(level) = self.levels.get(sku) else {
                // Cut, and with its control characters escaped: whoever invents a SKU decides neither
                // the size nor the form of the answer.
                let sku: String = sku.chars().take(MAX_SKU_LENGTH).collect();
                return Some(format!("there is no product {sku:?}"));
            };
            if !seen.insert(sku) {
                return Some(format!("{sku} is in the order twice"));
            }
            if !(1..=MAX_QUANTITY).contains(quantity) {
                return Some(format!(
                    "{quantity} pieces of {sku} are not within 1 to {MAX_QUANTITY}"
                ));
            }
            let available = level.available;
            (available < *quantity).then(|| {
                format!("{quantity} pieces of {sku} are wanted, {available} are available")
            })
        })
    }

    fn move_pieces(&mut self, lines: &[Line], step: impl Fn(&mut Level, i64)) {
        for Line { sku, quantity } in lines {
            if let Some(level) = self.levels.get_mut(sku) {
                step(level, *quantity);
                // Changes of one batch are published as one.
                if self.changed_levels.insert(sku.clone()) {
                    level.version += 1;
                }
            }
        }
    }

    /// Sets the status of a reservation; `lines` only count for a new one.
    fn record(&mut self, order_id: Uuid, status: Status, lines: &[Line]) -> &mut Reservation {
        let reservation = self
            .reservations
            .entry(order_id)
            .or_insert_with(|| Reservation {
                status,
                lines: lines.to_vec(),
                reason: None,
                version: 0,
            });
        reservation.status = status;
        // One step a batch, because the row is written once a batch.
        if self.changed_reservations.insert(order_id) {
            reservation.version += 1;
        }
        reservation
    }
}

/// The order that the command is about.
#[must_use]
pub fn order_of(command: &StockCommand) -> Uuid {
    match command {
        StockCommand::ReserveStock(command) => command.order_id,
        StockCommand::ReleaseStock(command) => command.order_id,
        StockCommand::SellStock(command) => command.order_id,
    }
}
