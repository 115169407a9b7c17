//! What the other services are told when an order has reached a status.

use contracts::{
    Line, OrderCancelled, OrderConfirmed, OrderPaid, OrderPlaced, OrderRejected, ReleaseStock,
    ReserveStock, SellStock,
};
use messaging::{Cause, Tx};

use crate::domain::{Order, Status};

/// Publishes the fact that the order has its present status, and the command that follows from it.
pub fn announce(tx: &mut Tx, cause: &Cause, order: &Order) {
    let order_id = order.id;
    let reason = || order.reason().unwrap_or("unknown").to_owned();
    match order.status {
        Status::Pending => {
            ask(tx, cause, order);
            tx.publish(
                cause,
                &OrderPlaced {
                    order: order.into(),
                },
            );
        }
        Status::Confirmed => tx.publish(
            cause,
            &OrderConfirmed {
                order: order.into(),
            },
        ),
        Status::Rejected => tx.publish(
            cause,
            &OrderRejected {
                order: order.into(),
                reason: reason(),
            },
        ),
        Status::Paid => {
            tx.publish(cause, &SellStock { order_id });
            tx.publish(
                cause,
                &OrderPaid {
                    order: order.into(),
                },
            );
        }
        Status::Cancelled => {
            // Also when nothing is reserved yet: the release may overtake the reservation, and
            // `inventory` then refuses it.
            tx.publish(cause, &ReleaseStock { order_id });
            tx.publish(
                cause,
                &OrderCancelled {
                    order: order.into(),
                    reason: reason(),
                },
            );
        }
    }
}

/// Asks for the stock of the order. To ask again does no harm: the answer is the same.
pub fn ask(tx: &mut Tx, cause: &Cause, order: &Order) {
    tx.publish(
        cause,
        &ReserveStock {
            order_id: order.id,
            lines: wanted(order),
        },
    );
}

fn wanted(order: &Order) -> Vec<Line> {
    order
        .lines
        .iter()
        .map(|line| Line {
            sku: line.sku.clone(),
            quantity: line.quantity,
        })
        .collect()
}

impl From<&Order> for contracts::Order {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id,
            version: order.version,
            customer: order.customer.clone(),
            lines: order.lines.clone(),
            total: order.total.clone(),
        }
    }
}
