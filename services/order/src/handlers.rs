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
        let changed = apply(tx, batch, |event| match event {
            StockEvent::StockReserved(reserved) => {
                (reserved.order_id, Event::StockReserved { pay_by })
            }
            StockEvent::StockRefused(refused) => (
                refused.order_id,
                Event::StockRefused(refused.reason.clone()),
            ),
        })
        .await?;
        for (cause, order) in changed
            .iter()
            .filter(|(_, order)| order.status == Status::Confirmed)
        {
            tx.publish_after(
                cause,
                &CancelUnpaidOrder { order_id: order.id },
                self.payment_deadline,
            );
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
        let changed = apply(tx, batch, |deadline| {
            (deadline.order_id, Event::DeadlinePassed)
        })
        .await?;
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

/// Lets one event per message happen to its order, and announces what has changed by it.
async fn apply<'a, M>(
    tx: &mut Tx,
    batch: &'a [Received<M>],
    event: impl Fn(&M) -> (Uuid, Event),
) -> Result<Vec<(&'a Cause, Order)>, Failure> {
    let events: Vec<(&Cause, Uuid, Event)> = batch
        .iter()
        .map(|message| {
            let (order_id, event) = event(&message.body);
            (&message.cause, order_id, event)
        })
        .collect();
    let ids: Vec<Uuid> = events.iter().map(|(_, order_id, _)| *order_id).collect();
    let mut orders: HashMap<Uuid, Order> = store::lock(tx, &ids).await?;
    let removed_up_to = match ids.iter().all(|id| orders.contains_key(id)) {
        true => None,
        false => store::removed_up_to(tx).await?,
    };

    let now = store::now();
    let mut changed = Vec::with_capacity(batch.len());
    for (cause, order_id, event) in events {
        let Some(order) = orders.get_mut(&order_id) else {
            // Nothing could have happened to it any more.
            if removed_up_to.is_some_and(|up_to| order_id <= up_to) {
                info!(%order_id, ?event, "order {order_id} was removed, so nothing happens to it");
                continue;
            }
            return Err(Failure::reject(format!("there is no order {order_id}")));
        };
        debug!(%order_id, ?event, status = order.status.as_str(), "order event");
        if order.apply(event, now) == Outcome::Changed {
            announce(tx, cause, order);
            changed.push((cause, order.clone()));
        }
    }
    let saved: Vec<&Order> = changed.iter().map(|(_, order)| order).collect();
    store::save(tx, &saved).await?;
    Ok(changed)
}

fn log(changed: &[(&Cause, Order)], what: &str) {
    if let Some((cause, order)) = changed.first() {
        info!(order_id = %order.id, trace_id = cause.trace_id(), count = changed.len(), "{what}");
    }
}
