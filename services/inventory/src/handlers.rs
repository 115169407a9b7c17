//! What the service does with messages.

use std::collections::BTreeSet;

use contracts::{StockCommand, StockLevelChanged, StockRefused, StockReserved, is_sku};
use jiff::Timestamp;
use messaging::{BatchHandler, Failure, Received, Tx};
use tracing::{debug, info};

use crate::domain::{Decision, Level, Stock, order_of};
use crate::store;

/// Reserves, releases and sells stock: many commands in one transaction, decided one after the
/// other. Each reservation is answered, also one that was decided about before; the levels that
/// come of it all are published once.
pub struct DecideAboutStock;

impl BatchHandler for DecideAboutStock {
    type Message = StockCommand;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<StockCommand>],
    ) -> Result<(), Failure> {
        let Some(first) = batch.first() else {
            return Ok(());
        };
        let mut stock = lock(tx, batch).await?;
        for command in batch {
            let decision = stock.decide(&command.body);
            answer(tx, command, decision)?;
        }
        store::save(tx, &stock).await?;
        for (sku, level) in stock.changed_levels() {
            tx.publish(&first.cause, &level_changed(sku, level));
        }
        info!(
            order_id = %order_of(&first.body),
            trace_id = first.cause.trace_id(),
            count = batch.len(),
            "decided about stock"
        );
        Ok(())
    }
}

/// The level of a product as a fact for others.
#[must_use]
pub fn level_changed(sku: &str, level: &Level) -> StockLevelChanged {
    StockLevelChanged {
        sku: sku.to_owned(),
        available: level.available,
        reserved: level.reserved,
        sold: level.sold,
        version: level.version,
        changed_at: Timestamp::now(),
    }
}

/// Locks every row that the commands are about.
async fn lock(tx: &mut Tx, batch: &[Received<StockCommand>]) -> anyhow::Result<Stock> {
    let order_ids: Vec<_> = batch
        .iter()
        .map(|command| order_of(&command.body))
        .collect();
    let wanted = batch.iter().filter_map(|command| match &command.body {
        StockCommand::ReserveStock(reserve) => Some(&reserve.lines),
        StockCommand::ReleaseStock(_) | StockCommand::SellStock(_) => None,
    });
    let skus: BTreeSet<&str> = wanted
        .flatten()
        .map(|line| line.sku.as_str())
        .filter(|sku| is_sku(sku))
        .collect();
    store::lock(tx, &order_ids, &Vec::from_iter(skus)).await
}

fn answer(
    tx: &mut Tx,
    command: &Received<StockCommand>,
    decision: Decision,
) -> Result<(), Failure> {
    let order_id = order_of(&command.body);
    let trace_id = command.cause.trace_id();
    match decision {
        Decision::Reserved => {
            debug!(%order_id, trace_id, "reserved stock for order {order_id}");
            tx.publish(&command.cause, &StockReserved { order_id });
        }
        Decision::Refused(reason) => {
            debug!(%order_id, trace_id, reason, "refused stock for order {order_id}");
            tx.publish(&command.cause, &StockRefused { order_id, reason });
        }
        Decision::ReservedBefore => {
            info!(%order_id, trace_id, "answered again that stock is reserved for order {order_id}");
            tx.publish(&command.cause, &StockReserved { order_id });
        }
        Decision::RefusedBefore(reason) => {
            info!(%order_id, trace_id, reason, "answered again that stock is refused for order {order_id}");
            tx.publish(&command.cause, &StockRefused { order_id, reason });
        }
        Decision::Released => debug!(%order_id, trace_id, "released stock of order {order_id}"),
        Decision::Sold => debug!(%order_id, trace_id, "sold stock of order {order_id}"),
        Decision::Unchanged(status) => {
            debug!(%order_id, trace_id, ?status, "order {order_id} was decided about before");
        }
        // Somebody has to look into it, and finds it among the dead letters.
        Decision::Impossible(reason) => return Err(Failure::reject(reason)),
    }
    Ok(())
}
