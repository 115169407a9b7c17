//! What the service does with messages: it takes note of them.
//!
//! A message that comes again leaves all as it is, whoever handles another one meanwhile: facts have a place, orders and
//! stock levels have versions. Only a price list says nothing about its age.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use contracts::{
    Message, OrderEvent, OrderEventName, ProductListed, StockEvent, StockLevelChanged,
};
use jiff::Timestamp;
use messaging::{BatchHandler, Failure, Received, Tx};
use uuid::Uuid;

use crate::store::{self, Fact, Order};

/// The name of [`RecordOrders`], by which the inbox knows what it has handled.
pub const RECORD_ORDERS: &str = "record-orders";
/// The name of [`RecordDecisions`].
pub const RECORD_DECISIONS: &str = "record-decisions";
/// The name of [`RecordLevels`].
pub const RECORD_LEVELS: &str = "record-levels";
/// The name of [`RecordProducts`].
pub const RECORD_PRODUCTS: &str = "record-products";

/// Takes note of what happened to orders.
pub struct RecordOrders;

impl BatchHandler for RecordOrders {
    type Message = OrderEvent;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<OrderEvent>],
    ) -> Result<(), Failure> {
        let facts: Vec<_> = batch.iter().filter_map(order_fact).collect();
        let mut orders = BTreeMap::new();
        for event in batch {
            match orders.entry(event.body.order().id) {
                Entry::Vacant(place) => {
                    place.insert(order(event));
                }
                Entry::Occupied(mut known) => merge(known.get_mut(), order(event)),
            }
        }
        let orders: Vec<_> = orders.into_values().collect();
        store::save_orders(tx, &orders).await?;
        store::save_facts(tx, &facts).await?;
        Ok(())
    }
}

/// Takes note of what was decided about the stock of orders.
pub struct RecordDecisions;

impl BatchHandler for RecordDecisions {
    type Message = StockEvent;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<StockEvent>],
    ) -> Result<(), Failure> {
        let facts: Vec<_> = batch.iter().filter_map(stock_fact).collect();
        Ok(store::save_facts(tx, &facts).await?)
    }
}

/// Takes note of stock levels.
pub struct RecordLevels;

impl BatchHandler for RecordLevels {
    type Message = StockLevelChanged;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<StockLevelChanged>],
    ) -> Result<(), Failure> {
        let mut newest = BTreeMap::new();
        for level in batch.iter().map(|message| &message.body) {
            let known = newest.entry(&level.sku).or_insert(level);
            if level.version > known.version {
                *known = level;
            }
        }
        let newest: Vec<_> = newest.into_values().collect();
        Ok(store::save_levels(tx, &newest).await?)
    }
}

/// Takes note of the price list.
pub struct RecordProducts;

impl BatchHandler for RecordProducts {
    type Message = ProductListed;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<ProductListed>],
    ) -> Result<(), Failure> {
        let newest: BTreeMap<_, _> = batch
            .iter()
            .map(|message| (&message.body.sku, &message.body))
            .collect();
        let newest: Vec<_> = newest.into_values().collect();
        Ok(store::save_products(tx, &newest).await?)
    }
}

/// An order as this event left it.
fn order(event: &Received<OrderEvent>) -> Order {
    let order = event.body.order();
    let at = |wanted: &[OrderEventName]| wanted.contains(&event.body.name()).then_some(event.time);
    Order {
        id: order.id,
        version: order.version,
        status: status(event.body.name()).to_owned(),
        email: order.customer.email.clone(),
        tier: order.customer.tier.as_str().to_owned(),
        total_cents: order.total.cents,
        currency: order.total.currency.clone(),
        placed_at: at(&[OrderEventName::OrderPlaced]),
        decided_at: at(&[
            OrderEventName::OrderConfirmed,
            OrderEventName::OrderRejected,
        ]),
        changed_at: event.time,
    }
}

fn merge(known: &mut Order, new: Order) {
    known.placed_at = known.placed_at.or(new.placed_at);
    known.decided_at = known.decided_at.or(new.decided_at);
    known.changed_at = known.changed_at.max(new.changed_at);
    if new.version > known.version {
        known.version = new.version;
        known.status = new.status;
    }
}

fn status(name: OrderEventName) -> &'static str {
    match name {
        OrderEventName::OrderPlaced => "pending",
        OrderEventName::OrderConfirmed => "confirmed",
        OrderEventName::OrderRejected => "rejected",
        OrderEventName::OrderPaid => "paid",
        OrderEventName::OrderCancelled => "cancelled",
    }
}

fn order_fact(event: &Received<OrderEvent>) -> Option<Fact> {
    let order = event.body.order();
    let message_type = format!("spillway.{}.v1", event.body.name().as_str());
    let reason = event.body.reason().map(str::to_owned);
    fact(
        event,
        contracts::topology::ORDER_EVENTS.name,
        &message_type,
        order.id,
        Some(order.version),
        reason,
    )
}

fn stock_fact(event: &Received<StockEvent>) -> Option<Fact> {
    let topic = contracts::topology::STOCK_EVENTS.name;
    match &event.body {
        StockEvent::StockReserved(reserved) => fact(
            event,
            topic,
            contracts::StockReserved::TYPE,
            reserved.order_id,
            None,
            None,
        ),
        StockEvent::StockRefused(refused) => {
            let reason = Some(refused.reason.clone());
            fact(
                event,
                topic,
                contracts::StockRefused::TYPE,
                refused.order_id,
                None,
                reason,
            )
        }
    }
}

/// None without a position, which every record of a topic has.
fn fact<M>(
    message: &Received<M>,
    topic: &str,
    message_type: &str,
    order_id: Uuid,
    version: Option<i32>,
    reason: Option<String>,
) -> Option<Fact> {
    let position = message.position?;
    Some(Fact {
        topic: topic.to_owned(),
        partition: position.partition,
        offset: position.offset,
        message_type: message_type.to_owned(),
        time: message.time,
        recorded_at: Timestamp::now(),
        order_id,
        version,
        // PostgreSQL stores no NUL, and a fact that cannot be stored would hold up those behind it.
        reason: reason.map(|reason| reason.replace('\0', "")),
        // Of a trace that nobody exports there is nothing to be found.
        trace_id: (message.cause.trace_id())
            .filter(|_| message.cause.is_sampled())
            .and_then(bytes),
    })
}

/// The bytes of a trace id, which travels as hexadecimal digits.
fn bytes(trace_id: &str) -> Option<Vec<u8>> {
    let number = u128::from_str_radix(trace_id, 16).ok()?;
    Some(number.to_be_bytes().to_vec())
}
