//! What the service does with the messages it receives.

use std::{collections::HashMap, time::Duration};

use contracts::{CancelUnpaidOrder, ProductListed, StockEvent};
use messaging::{BatchHandler, Cause, Failure, Received, Tx};
use tracing::{debug, info};
use uuid::Uuid;

use crate::{
    announce::announce,
    domain::{Event, Order, Outcome, Status},
    store,
};

/// So many orders share the message about their payment deadline.
const TOGETHER: usize = 10;

/// Moves pending orders on once `inventory` has answered.
pub struct ConfirmOrReject {
    /// How long a confirmed order waits for its payment.
    pub payment_deadline: Duration,
}

impl BatchHandler for ConfirmOrReject {
    type Message = StockEvent;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<StockEvent>],
    ) -> Result<(), Failure> {
        let pay_by = store::now() + self.payment_deadline;
        let Applied { changed, .. } = apply(tx, batch, |event| match event {
            StockEvent::StockReserved(reserved) => {
                [(reserved.order_id, Event::StockReserved { pay_by })]
            }
            StockEvent::StockRefused(refused) => [(
                refused.order_id,
                Event::StockRefused(refused.reason.clone()),
            )],
        })
        .await?;
        for (cause, deadline) in deadlines(&changed) {
            tx.publish_after(&cause, &deadline, self.payment_deadline);
        }
        log(&changed, "confirmed or rejected orders");
        Ok(())
    }
}

/// Cancels the orders that are still not paid when their payment deadline has passed.
pub struct CancelUnpaidOrders;

impl BatchHandler for CancelUnpaidOrders {
    type Message = CancelUnpaidOrder;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<CancelUnpaidOrder>],
    ) -> Result<(), Failure> {
        let Applied { changed, unknown } = apply(tx, batch, |deadline| {
            let orders = deadline.orders();
            let passed = orders.map(|order_id| (order_id, Event::DeadlinePassed));
            passed.collect::<Vec<_>>()
        })
        .await?;
        for (cause, order_id) in unknown {
            // By itself it is refused, and a dead letter that tells of no other.
            tx.publish(cause, &CancelUnpaidOrder::of(order_id));
        }
        log(&changed, "cancelled unpaid orders");
        Ok(())
    }
}

/// Keeps the service's own copy of the price list.
pub struct KeepPriceList;

impl BatchHandler for KeepPriceList {
    type Message = ProductListed;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<ProductListed>],
    ) -> Result<(), Failure> {
        store::upsert_products(tx, batch.iter().map(|message| &message.body)).await?;
        info!(count = batch.len(), "listed products");
        Ok(())
    }
}

/// The messages about the payment deadline of those that were confirmed, all at the same moment. One whose trace is
/// exported has a message of its own, because a message belongs to one trace.
fn deadlines(changed: &[(&Cause, Order)]) -> Vec<(Cause, CancelUnpaidOrder)> {
    let confirmed = changed
        .iter()
        .filter(|(_, order)| order.status == Status::Confirmed);
    let (traced, others): (Vec<_>, Vec<_>) = confirmed.partition(|(cause, _)| cause.is_sampled());
    let shares = traced.chunks(1).chain(others.chunks(TOGETHER));
    let deadline = |orders: &[&(&Cause, Order)]| {
        let ((cause, first), others) = orders.split_first()?;
        let cause = match others {
            [] => (*cause).clone(),
            _ => Cause::none(),
        };
        let deadline = CancelUnpaidOrder {
            order_id: first.id,
            others: others.iter().map(|(_, order)| order.id).collect(),
        };
        Some((cause, deadline))
    };
    shares.filter_map(deadline).collect()
}

/// What became of a batch.
struct Applied<'a> {
    changed: Vec<(&'a Cause, Order)>,
    /// Orders that are not there, of messages that are about others as well.
    unknown: Vec<(&'a Cause, Uuid)>,
}

/// Lets the events of each message happen to their orders, and announces what has changed by it.
///
/// # Errors
///
/// When the database fails, and when a message is about one order alone, which is not there.
async fn apply<'a, M, E>(
    tx: &mut Tx,
    batch: &'a [Received<M>],
    events_of: impl Fn(&M) -> E,
) -> Result<Applied<'a>, Failure>
where
    E: IntoIterator<Item = (Uuid, Event)>,
{
    let events: Vec<(&Cause, bool, Uuid, Event)> = batch
        .iter()
        .flat_map(|message| {
            let events: Vec<_> = events_of(&message.body).into_iter().collect();
            let is_alone = events.len() == 1;
            let events = events.into_iter();
            events.map(move |(order_id, event)| (&message.cause, is_alone, order_id, event))
        })
        .collect();
    let ids: Vec<Uuid> = events.iter().map(|(.., order_id, _)| *order_id).collect();
    let mut orders: HashMap<Uuid, Order> = store::lock(tx, &ids).await?;
    let removed_up_to = match ids.iter().all(|id| orders.contains_key(id)) {
        true => None,
        false => store::removed_up_to(tx).await?,
    };

    let now = store::now();
    let mut changed = Vec::with_capacity(batch.len());
    let mut unknown = Vec::new();
    for (cause, is_alone, order_id, event) in events {
        let Some(order) = orders.get_mut(&order_id) else {
            // Nothing could have happened to it any more.
            if removed_up_to.is_some_and(|up_to| order_id <= up_to) {
                info!(%order_id, ?event, "order {order_id} was removed, so nothing happens to it");
                continue;
            }
            if is_alone {
                return Err(Failure::reject(format!("there is no order {order_id}")));
            }
            unknown.push((cause, order_id));
            continue;
        };
        debug!(%order_id, ?event, status = order.status.as_str(), "order event");
        if order.apply(event, now) == Outcome::Changed {
            announce(tx, cause, order);
            changed.push((cause, order.clone()));
        }
    }
    let saved: Vec<&Order> = changed.iter().map(|(_, order)| order).collect();
    store::save(tx, &saved).await?;
    Ok(Applied { changed, unknown })
}

fn log(changed: &[(&Cause, Order)], what: &str) {
    if let Some((cause, order)) = changed.first() {
        info!(order_id = %order.id, trace_id = cause.trace_id(), count = changed.len(), "{what}");
    }
}
