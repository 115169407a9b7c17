use std::time::Instant;

use anyhow::Context;
use futures::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions};
use lapin::{Channel, Consumer};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::attempts::failed_attempts;
use super::channel::ConfirmChannel;
use super::connection::{RabbitMq, TIMEOUT};
use super::moving::{GivenUp, move_until_confirmed};
use super::subscription::Subscription;
use super::{dead_letters, properties, upkeep};
use crate::backoff::Backoff;
use crate::consume::{Consuming, Outcome, Pending, ProcessSpan, Run, run_as_asked};
use crate::contained::contained;
use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{Guarantee, without};
use crate::handler::{Failure, Received};
use crate::pace::Pace;
use crate::transport::Transport;

/// Takes messages of a queue, runs them through the handler, moves on those that failed, and
/// acknowledges.
pub(super) struct Worker<R> {
    pub(super) rabbitmq: RabbitMq,
    pub(super) consuming: Consuming,
    pub(super) runner: R,
    pub(super) subscription: Subscription,
}

/// A delivery that could be decoded, in step with the [`Pending`] made of it.
struct Decoded {
    delivery: Delivery,
    span: ProcessSpan,
}

impl<R: Run> Worker<R> {
    /// Keeps at the broker what the queue needs.
    pub(super) async fn keep_declared(&self, token: &CancellationToken) {
        upkeep::keep_declared(&self.rabbitmq, &self.subscription.pieces(), token).await;
    }

    /// One channel, again and again. Everything on a channel is handled in the order of its
    /// delivery tags, so that one acknowledgement can stand for a whole batch.
    pub(super) async fn run(&self, token: &CancellationToken) {
        let queue = self.subscription.queue;
        let mut backoff = Backoff::default();
        loop {
            let resumed = self.consuming.controls.until_resumed();
            if token.run_until_cancelled(resumed).await.is_none() || token.is_cancelled() {
                return;
            }
            if let Err(error) = self.session(token, || backoff = Backoff::default()).await {
                let error = format!("{error:#}");
                warn!(queue, error, "consumer of queue {queue} starts over");
                let pause = tokio::time::sleep(backoff.next_pause());
                token.run_until_cancelled(pause).await;
            }
        }
    }

    /// Consumes until stopped or paused (`Ok`) or until the channel fails (`Err`); what was not
    /// acknowledged by then is delivered again.
    async fn session(
        &self,
        token: &CancellationToken,
        mut healthy: impl FnMut(),
    ) -> anyhow::Result<()> {
        let subscribed = token.run_until_cancelled(self.subscription.open(&self.rabbitmq));
        let Some(subscribed) = subscribed.await else {
            return Ok(());
        };
        let (channel, mut deliveries) = subscribed?;
        let mut publisher = ConfirmChannel::new(self.rabbitmq.clone(), Vec::new());
        let mut pace = Pace::default();
        loop {
            let first = tokio::select! {
                // In this order: a stop or a pause comes before the messages that are there.
                biased;
                () = token.cancelled() => break,
                () = self.consuming.controls.until_paused() => break,
                first = deliveries.next() => first.context("the broker cancelled the consumer")??,
            };
            let batch = self.fill(first, &mut deliveries, &mut pace).await?;
            let last = batch.last().map_or(0, |delivery| delivery.delivery_tag);
            match self.handle(batch, &channel, &mut publisher, token).await {
                Ok(()) => acknowledge(&channel, last).await?,
                Err(GivenUp::Stopped) => break,
                Err(GivenUp::Failed(error)) => return Err(error),
            }
            pace.ended();
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

    /// A batch of what is there when its time has come.
    async fn fill(
        &self,
        first: Delivery,
        deliveries: &mut Consumer,
        pace: &mut Pace,
    ) -> lapin::Result<Vec<Delivery>> {
        pace.wait().await;
        let mut batch = vec![first];
        let limit = usize::from(self.subscription.batch);
        let limit = self.consuming.controls.batch(limit);
        while batch.len() < limit
            && let Some(Some(next)) = deliveries.next().now_or_never()
        {
            batch.push(next?);
        }
        pace.took(batch.len(), limit);
        Ok(batch)
    }

    /// Handles a batch and moves on what failed.
    async fn handle(
        &self,
        batch: Vec<Delivery>,
        channel: &Channel,
        publisher: &mut ConfirmChannel,
        token: &CancellationToken,
    ) -> Result<(), GivenUp> {
        let (started, count) = (Instant::now(), batch.len());
        let queue = self.subscription.queue;
        let mut moved = Vec::new();
        let (mut pending, mut decoded) = (Vec::new(), Vec::new());
        for delivery in batch {
            match contained(|| self.decode(&delivery)).flatten() {
                Ok((received, span)) => {
                    pending.push(Pending {
                        received,
                        partition: None,
                        doubt: dead_letters::doubt_of(&delivery.properties),
                        failed_before: failed_attempts(&delivery.properties, queue),
                    });
                    decoded.push(Decoded { delivery, span });
                }
                Err(reason) => {
                    let never = Outcome::Failed(Failure::Reject(reason));
                    moved.extend(self.settle(delivery, never));
                }
            }
        }
        let controls = &self.consuming.controls;
        let outcomes = run_as_asked(&self.runner, controls, pending, token).await?;
        crash_point::reach(CrashPoint::QueueCommitted);
        for (Decoded { delivery, mut span }, outcome) in decoded.into_iter().zip(outcomes) {
            span.end(&outcome);
            moved.extend(self.settle(delivery, outcome));
        }
        if !moved.is_empty() {
            let (window, whither): (Vec<_>, Vec<_>) = moved.into_iter().unzip();
            move_until_confirmed(window, publisher, queue, channel, token).await?;
            for moved in whither {
                self.count(moved);
            }
            crash_point::reach(CrashPoint::QueueMovedOn);
        }
        let metrics = &self.consuming.metrics;
        metrics.consumed(Transport::RabbitMq, queue, count, started.elapsed());
        Ok(())
    }

    /// The message for the handler, or why it can never be handled.
    fn decode(&self, delivery: &Delivery) -> Result<(Received<R::Message>, ProcessSpan), String> {
        let decoded = properties::decode(&delivery.properties).decode(&delivery.data);
        let mut received = decoded.map_err(|error| error.to_string())?;
        let (queue, spans) = (self.subscription.queue, &self.consuming.spans);
        let (exchange, key) = (&delivery.exchange, &delivery.routing_key);
        let span = spans.of_delivery(queue, exchange.as_str(), key.as_str(), &mut received);
        Ok((received, span))
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
