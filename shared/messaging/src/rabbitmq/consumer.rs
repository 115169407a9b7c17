use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use contracts::topology::Exchange;
use futures::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::connection::{Purpose, TIMEOUT};
use super::{Outgoing, Publisher, properties, short, topology};
use crate::consume::{DeadLetter, Source};
use crate::consume::{Item, Outcome, Processing};
use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{Guarantee, without};
use crate::outbox::Transport;
use crate::outbox::pauses;
use crate::trace::ProcessSpan;
use crate::{BatchHandler, Bus, Failure};

/// How many messages a consumer may hold; enough for the next batch to be there when one is done.
const PREFETCH: std::ops::RangeInclusive<u16> = 10..=500;

/// Consumes a queue: built by [`Bus::queue`], declared by the service that owns it.
#[must_use = "a consumer does nothing until `run`"]
pub struct QueueConsumer {
    bus: Bus,
    queue: &'static str,
    bindings: Vec<(Exchange, &'static str)>,
    delays: Vec<Duration>,
    batch: u16,
    concurrency: usize,
}

impl QueueConsumer {
    pub(crate) fn new(bus: Bus, queue: &'static str) -> Self {
        Self {
            bus,
            queue,
            bindings: Vec::new(),
            delays: Vec::new(),
            batch: 1,
            concurrency: 1,
        }
    }

    /// Binds the queue to an exchange, which is declared too.
    pub fn bind(mut self, exchange: Exchange, routing_key: &'static str) -> Self {
        self.bindings.push((exchange, routing_key));
        self
    }

    /// Lets [`Tx::publish_after`](crate::Tx::publish_after) use this delay.
    pub fn delayed_by(mut self, delay: Duration) -> Self {
        self.delays.push(delay);
        self
    }

    /// At most so many messages share a transaction. Never waits for a batch to fill.
    pub fn batch(mut self, messages: u16) -> Self {
        self.batch = messages.max(1);
        self
    }

    /// Handles so many batches side by side in this process.
    pub fn concurrency(mut self, batches: usize) -> Self {
        self.concurrency = batches.max(1);
        self
    }

    /// Handles messages until stopped, through any number of lost connections.
    ///
    /// A message is acknowledged after the commit of its handler. One that fails waits in a delay
    /// queue for each of the configured pauses, and after the last becomes a dead letter.
    ///
    /// # Errors
    ///
    /// None that a connection causes; the future ends when `token` is cancelled.
    pub async fn run<H: BatchHandler>(
        mut self,
        handler_name: &'static str,
        handler: H,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        self.delays.extend(self.bus.retry_delays());
        let shared = Arc::new(Shared {
            processing: self.bus.processing(handler_name, handler),
            consumer: self,
        });
        // A set, so that the lanes end when this future is dropped.
        let mut lanes = JoinSet::new();
        for _ in 0..shared.consumer.concurrency {
            let (shared, token) = (Arc::clone(&shared), token.clone());
            lanes.spawn(async move { shared.run_lane(&token).await });
        }
        while let Some(ended) = lanes.join_next().await {
            ended.context("a consumer panicked")?;
        }
        Ok(())
    }
}

struct Shared<H> {
    consumer: QueueConsumer,
    processing: Processing<H>,
}

/// A delivery that could be decoded, in step with the [`Item`] made of it.
struct Pending {
    delivery: Delivery,
    span: ProcessSpan,
}

impl<H: BatchHandler> Shared<H> {
    /// One channel, again and again. Everything on a channel is handled in the order of its
    /// delivery tags, so that one acknowledgement can stand for a whole batch.
    async fn run_lane(&self, token: &CancellationToken) {
        let mut backoff = pauses();
        while !token.is_cancelled() {
            match self.session(token, || backoff = pauses()).await {
                Ok(()) => {}
                Err(error) => {
                    warn!(
                        queue = self.consumer.queue,
                        error = format!("{error:#}"),
                        "consumer starts over"
                    );
                    let pause = backoff.next().unwrap_or_default();
                    token.run_until_cancelled(tokio::time::sleep(pause)).await;
                }
            }
        }
    }

    /// Consumes until stopped (`Ok`) or until the channel fails (`Err`); what was not
    /// acknowledged by then is delivered again.
    async fn session(
        &self,
        token: &CancellationToken,
        mut healthy: impl FnMut(),
    ) -> anyhow::Result<()> {
        let Some(subscribed) = token.run_until_cancelled(self.subscribe()).await else {
            return Ok(());
        };
        let (channel, mut deliveries) = subscribed?;
        let mut publisher = Publisher::new(self.consumer.bus.rabbitmq().clone(), Vec::new());
        loop {
            let first = match token.run_until_cancelled(deliveries.next()).await {
                None => break,
                Some(first) => first.context("the broker cancelled the consumer")??,
            };
            let mut batch = vec![first];
            while batch.len() < usize::from(self.consumer.batch)
                && let Some(Some(next)) = deliveries.next().now_or_never()
            {
                batch.push(next?);
            }
            let last = batch.last().map_or(0, |delivery| delivery.delivery_tag);
            if !self.handle(batch, &channel, &mut publisher, token).await? {
                break;
            }
            acknowledge(&channel, last).await?;
            healthy();
        }
        // Closing gives back what was delivered and not handled.
        let cancelled = channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default());
        timeout(TIMEOUT, cancelled).await.ok();
        timeout(TIMEOUT, channel.close(200, "stopping".into()))
            .await
            .ok();
        Ok(())
    }

    async fn subscribe(&self) -> anyhow::Result<(Channel, Consumer)> {
        let consumer = &self.consumer;
        let channel = consumer.bus.rabbitmq().channel(Purpose::Consume).await?;
        topology::declare_dead_letters(&channel).await?;
        topology::declare_queue(&channel, consumer.queue).await?;
        for (exchange, routing_key) in &consumer.bindings {
            topology::declare_exchange(&channel, *exchange).await?;
            topology::bind(&channel, consumer.queue, *exchange, routing_key).await?;
        }
        for delay in &consumer.delays {
            topology::declare_delay_queue(&channel, consumer.queue, *delay).await?;
        }
        let prefetch = consumer
            .batch
            .saturating_mul(2)
            .clamp(*PREFETCH.start(), *PREFETCH.end());
        timeout(
            TIMEOUT,
            channel.basic_qos(prefetch, BasicQosOptions::default()),
        )
        .await
        .context("qos timed out")??;
        let deliveries = channel.basic_consume(
            short(consumer.queue),
            // The broker makes up a tag.
            "".into(),
            BasicConsumeOptions {
                no_ack: without(Guarantee::ManualAck),
                ..BasicConsumeOptions::default()
            },
            FieldTable::default(),
        );
        let deliveries = timeout(TIMEOUT, deliveries)
            .await
            .context("consume timed out")??;
        info!(queue = consumer.queue, prefetch, "consuming");
        Ok((channel, deliveries))
    }

    /// Handles a batch and moves on what failed. `false` means that the stop came first and
    /// nothing may be acknowledged.
    async fn handle(
        &self,
        batch: Vec<Delivery>,
        channel: &Channel,
        publisher: &mut Publisher,
        token: &CancellationToken,
    ) -> anyhow::Result<bool> {
        let started = std::time::Instant::now();
        let count = batch.len();
        let mut moved = Vec::new();
        let (mut items, mut pending) = (Vec::new(), Vec::new());
        for delivery in batch {
            match properties::decode(&delivery.properties).decode(&delivery.data) {
                Ok(mut received) => {
                    let tracing = self.consumer.bus.tracing();
                    let span = tracing.process_queue(self.consumer.queue, &delivery, &mut received);
                    items.push(Item {
                        received,
                        lane: None,
                    });
                    pending.push(Pending { delivery, span });
                }
                Err(error) => moved.push(self.dead_letter(delivery, 1, error.to_string())),
            }
        }
        let Some(outcomes) = self.processing.run(&items, token).await else {
            return Ok(false);
        };
        crash_point::reach(CrashPoint::QueueCommitted);
        for (Pending { delivery, mut span }, outcome) in pending.into_iter().zip(outcomes) {
            span.end(outcome.failure());
            if let Outcome::Failed(failure) = outcome {
                moved.push(self.move_on(delivery, failure));
            }
        }
        let any = !moved.is_empty();
        let confirmed = publisher.publish_until_confirmed(moved, channel, token);
        if !confirmed
            .await
            .context("cannot move a failed message on, it stays in its queue")?
        {
            return Ok(false);
        }
        if any {
            crash_point::reach(CrashPoint::QueueMovedOn);
        }
        self.processing.metrics.consumed(
            Transport::RabbitMq,
            self.consumer.queue,
            count,
            started.elapsed(),
        );
        Ok(true)
    }

    /// To the delay queue of its next attempt, or to the dead letters when there is none.
    fn move_on(&self, delivery: Delivery, failure: Failure) -> Outgoing {
        let attempts = properties::failed_attempts(&delivery.properties).saturating_add(1);
        match (failure, self.consumer.bus.pause_after(attempts)) {
            (Failure::Retry(error), Some(delay)) => {
                debug!(
                    message_id = ?delivery.properties.message_id(), queue = self.consumer.queue,
                    attempts, ?delay, error = format!("{error:#}"), "will retry"
                );
                self.processing.metrics.retried(self.processing.name);
                Outgoing {
                    exchange: topology::DEFAULT_EXCHANGE.into(),
                    routing_key: short(&topology::delay_queue_name(self.consumer.queue, delay)),
                    properties: properties::with_failed_attempts(&delivery.properties, attempts),
                    body: delivery.data,
                }
            }
            (failure, _) => self.dead_letter(delivery, attempts, failure.to_string()),
        }
    }

    fn dead_letter(&self, delivery: Delivery, attempts: u32, reason: String) -> Outgoing {
        warn!(
            message_id = ?delivery.properties.message_id(), queue = self.consumer.queue,
            handler = self.processing.name, attempts, reason, "dead letter"
        );
        self.processing.metrics.dead_lettered(self.processing.name);
        DeadLetter {
            source: Source::Queue {
                queue: self.consumer.queue.to_owned(),
                exchange: delivery.exchange.to_string(),
                routing_key: delivery.routing_key.to_string(),
            },
            service: self.consumer.bus.service(),
            handler: self.processing.name,
            reason,
            attempts,
            properties: delivery.properties,
            body: delivery.data,
        }
        .into_message()
    }
}

/// Acknowledges this delivery and all before it.
async fn acknowledge(channel: &Channel, last: u64) -> anyhow::Result<()> {
    if without(Guarantee::ManualAck) {
        return Ok(());
    }
    let multiple = BasicAckOptions { multiple: true };
    timeout(TIMEOUT, channel.basic_ack(last, multiple))
        .await
        .context("ack timed out")??;
    crash_point::reach(CrashPoint::QueueAcknowledged);
    Ok(())
}
