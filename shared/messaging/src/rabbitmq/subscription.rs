use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::Context;
use contracts::topology::Exchange;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::time::timeout;
use tracing::info;

use super::connection::{Purpose, RabbitMq, TIMEOUT, abandon};
use super::properties::short_string;
use super::topology::Piece;
use super::upkeep;
use crate::faults::{Guarantee, without};
use crate::outbox::delay_queue_name;

/// How many messages a consumer may hold; enough for the next batch to be there when one is done.
const PREFETCH: RangeInclusive<u16> = 10..=500;

/// The same where one message may take minutes: what waits behind it, another worker could have had.
pub(super) const PREFETCH_OF_EFFECTS: RangeInclusive<u16> = 2..=2;

/// A queue, what belongs to it, and how much of it is taken at once.
pub(super) struct Subscription {
    pub(super) queue: &'static str,
    pub(super) bindings: Vec<(Exchange, &'static str)>,
    /// How long messages may have to wait before they enter the queue.
    pub(super) delays: Vec<Duration>,
    /// How many messages may share a transaction.
    pub(super) batch: u16,
    /// Limits of how many messages are taken ahead.
    pub(super) prefetch: RangeInclusive<u16>,
}

impl Subscription {
    pub(super) fn new(queue: &'static str) -> Self {
        Self {
            queue,
            bindings: Vec::new(),
            delays: Vec::new(),
            batch: 1,
            prefetch: PREFETCH,
        }
    }

    /// Declares the queue and what belongs to it, and consumes it on a channel of its own.
    pub(super) async fn open(&self, rabbitmq: &RabbitMq) -> anyhow::Result<(Channel, Consumer)> {
        let queue = self.queue;
        upkeep::declare(rabbitmq, &self.pieces()).await?;
        let prefetch = self
            .batch
            .saturating_mul(2)
            .clamp(*self.prefetch.start(), *self.prefetch.end());
        let options = BasicConsumeOptions {
            no_ack: without(Guarantee::ManualAck),
            ..BasicConsumeOptions::default()
        };
        let consumed = consume(rabbitmq, queue, prefetch, options).await?;
        info!(queue, prefetch, "consuming queue {queue}");
        Ok(consumed)
    }

    /// All that has to be there for the queue to be of use.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let queue = self.queue;
        let mut pieces = vec![
            Piece::own_exchange(queue),
            Piece::queue(queue),
            Piece::own_binding(queue),
        ];
        for (exchange, routing_key) in &self.bindings {
            pieces.push(Piece::exchange(*exchange));
            pieces.push(Piece::binding(queue, exchange.name, routing_key));
        }
        for delay in &self.delays {
            pieces.push(Piece::delay_queue(queue, *delay));
            pieces.push(Piece::own_binding(&delay_queue_name(queue, *delay)));
        }
        pieces
    }
}

/// Consumes a queue on a channel of its own, with so many messages ahead.
///
/// Whoever gives up waiting for the broker's answer has to close the channel. lapin itself keeps it until the answer
/// comes, and then has a consumer that nobody reads from. What the broker delivers to it would be with nobody for as
/// long as the connection lasts, while the broker sees a consumer at work.
pub(super) async fn consume(
    rabbitmq: &RabbitMq,
    queue: &str,
    prefetch: u16,
    options: BasicConsumeOptions,
) -> anyhow::Result<(Channel, Consumer)> {
    let channel = rabbitmq.channel(Purpose::Consume).await?;
    let consumed = consume_on(&channel, queue, prefetch, options).await;
    let deliveries = consumed.inspect_err(|_| abandon(&channel))?;
    Ok((channel, deliveries))
}

async fn consume_on(
    channel: &Channel,
    queue: &str,
    prefetch: u16,
    options: BasicConsumeOptions,
) -> anyhow::Result<Consumer> {
    let qos = channel.basic_qos(prefetch, BasicQosOptions::default());
    timeout(TIMEOUT, qos).await.context("qos timed out")??;
    // The broker makes up a tag.
    let (queue, tag, none) = (short_string(queue), "".into(), FieldTable::default());
    let consumed = timeout(TIMEOUT, channel.basic_consume(queue, tag, options, none)).await;
    Ok(consumed.context("consume timed out")??)
}
