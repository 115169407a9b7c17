//! One reservation for an order, which says the same as the order.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Class, Line, Mended, Observed, Order, Promise, Reservation, Verdict};

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    let mut by_order: HashMap<Uuid, &Reservation> = HashMap::new();
    for reservation in &observed.reservations {
        if by_order.insert(reservation.order_id, reservation).is_some() {
            let what = format!("order {} has two reservations", reservation.order_id);
            verdict.add(Promise::OneReservation, Class::Duplicated, what);
        }
    }
    for order in &observed.orders {
        match by_order.remove(&order.id) {
            Some(reservation) => compare(order, reservation, verdict),
            None => {
                let what = format!("nothing was decided about the stock of order {}", order.id);
                verdict.add(Promise::OneReservation, Class::Lost, what);
            }
        }
    }
    mended(observed, &mut by_order, verdict);
    for id in by_order.keys() {
        let what = format!("a reservation for order {id}, which is nowhere");
        verdict.add(Promise::OneReservation, Class::Unexpected, what);
    }
    answers(observed, verdict);
    refusals(observed, verdict);
}

/// Poison that was mended and replayed has its effect, of which there is one by the order's key.
fn mended(observed: &Observed, by_order: &mut HashMap<Uuid, &Reservation>, verdict: &mut Verdict) {
    for Mended {
        message_id,
        order_id,
    } in &observed.mended
    {
        match by_order.remove(order_id) {
            Some(reservation) if reservation.status == "released" => {}
            Some(reservation) => {
                let what = format!("mended {message_id} has made {reservation:?}");
                verdict.add(Promise::OneReservation, Class::Contradiction, what);
            }
            None => {
                let what = format!("{message_id} was mended and replayed in vain");
                verdict.add(Promise::OneReservation, Class::Lost, what);
            }
        }
    }
}

fn compare(order: &Order, reservation: &Reservation, verdict: &mut Verdict) {
    let allowed: &[&str] = match order.status.as_str() {
        "confirmed" => &["reserved"],
        "paid" => &["sold"],
        "rejected" => &["refused"],
        // Refused when the release overtook the reservation, or nothing was left anyway.
        "cancelled" => &["released", "refused"],
        _ => return,
    };
    if !allowed.contains(&reservation.status.as_str()) {
        let what = format!(
            "order {} is {} and its stock {}",
            order.id, order.status, reservation.status
        );
        verdict.add(Promise::OneState, Class::Contradiction, what);
    }
    let holds_pieces = ["reserved", "sold"].contains(&reservation.status.as_str());
    if holds_pieces && Line::sorted(&order.lines) != Line::sorted(&reservation.lines) {
        let what = format!(
            "order {} wants {:?} and got {:?}",
            order.id, order.lines, reservation.lines
        );
        verdict.add(Promise::OneReservation, Class::Contradiction, what);
    }
}

/// `inventory` answers for every order once; the same record may be written again.
fn answers(observed: &Observed, verdict: &mut Verdict) {
    let mut first: HashMap<Uuid, Uuid> = HashMap::new();
    for record in &observed.stock_events {
        let id = *first.entry(record.order_id).or_insert(record.id);
        if id != record.id {
            let what = format!(
                "order {} was answered by {id} and by {}",
                record.order_id, record.id
            );
            verdict.add(Promise::OneReservation, Class::Duplicated, what);
        }
    }
    for order in &observed.orders {
        if !first.contains_key(&order.id) {
            let what = format!("stock-events has no answer for order {}", order.id);
            verdict.add(Promise::OneReservation, Class::Lost, what);
        }
    }
}

/// Nobody goes without while there is enough for all who ever asked. This speaks of rejected orders: a
/// reservation that its release has overtaken is refused as well, and the order of it is cancelled.
fn refusals(observed: &Observed, verdict: &mut Verdict) {
    let mut wanted: HashMap<&str, i64> = HashMap::new();
    for line in observed.orders.iter().flat_map(|order| &order.lines) {
        *wanted.entry(&line.sku).or_default() += line.quantity;
    }
    let is_enough = |Line { sku, .. }: &Line| {
        let stock = observed.stock.get(sku);
        stock.is_some_and(|stock| stock.initial + stock.restocked >= wanted[sku.as_str()])
    };
    for order in &observed.orders {
        if order.status == "rejected" && order.lines.iter().all(is_enough) {
            let what = format!(
                "order {} was rejected, and there is enough of {:?}",
                order.id, order.lines
            );
            verdict.add(Promise::OneReservation, Class::Unexpected, what);
        }
    }
}
