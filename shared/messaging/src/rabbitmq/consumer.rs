use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use contracts::topology::Exchange;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection::RabbitMq;
use super::subscription::{PREFETCH_OF_EFFECTS, Subscription};
use super::worker::Worker;
use crate::claims::beat;
use crate::consume::{Consuming, EffectRunner, Run};
use crate::handler::{BatchHandler, EffectHandler};

/// Consumes a queue: built by `Bus::queue`, declared by the service that owns it.
#[must_use = "a consumer does nothing until `run`"]
pub struct QueueConsumer {
    rabbitmq: RabbitMq,
    consuming: Consuming,
    subscription: Subscription,
    concurrency: usize,
}

impl QueueConsumer {
    pub(crate) fn new(rabbitmq: RabbitMq, consuming: Consuming, queue: &'static str) -> Self {
        Self {
            rabbitmq,
            consuming,
            subscription: Subscription::new(queue),
            concurrency: 1,
        }
    }

    /// Binds the queue to an exchange, which is declared too.
    pub fn bind(mut self, exchange: Exchange, routing_key: &'static str) -> Self {
        self.subscription.bindings.push((exchange, routing_key));
        self
    }

    /// Lets [`Tx::publish_after`](crate::handler::Tx::publish_after) use this delay.
    pub fn delayed_by(mut self, delay: Duration) -> Self {
        self.subscription.delays.push(delay);
        self
    }

    /// At most so many messages share a transaction. Where many come, those of [20 to 60 ms](crate::Pace) do; a few never
    /// wait for a batch to fill.
    pub fn batch(mut self, messages: u16) -> Self {
        self.subscription.batch = messages.max(1);
        self
    }

    /// Handles so many batches side by side in this process.
    pub fn concurrency(mut self, batches: usize) -> Self {
        self.concurrency = batches.max(1);
        self
    }

    /// Tries what fails again after these pauses too, when the configured ones are used up: where
    /// patience is usual.
    pub fn retry_longer(mut self, delays: &[Duration]) -> Self {
        self.consuming.policy = self.consuming.policy.and_then(delays);
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
        self,
        handler_name: &'static str,
        handler: H,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let queue = self.subscription.queue;
        let runner = self.consuming.runner(queue, handler_name, handler);
        self.work(runner, token).await
    }

    /// The same for an effect that cannot be undone: one message at a time, and at most one more on
    /// its way, for each of those that are handled side by side.
    ///
    /// A message whose effect may or may not have taken place becomes a dead letter at once.
    ///
    /// # Errors
    ///
    /// None that a connection causes; the future ends when `token` is cancelled.
    pub async fn run_effects<H: EffectHandler>(
        mut self,
        handler_name: &'static str,
        handler: H,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        self.subscription.batch = 1;
        self.subscription.prefetch = PREFETCH_OF_EFFECTS;
        let runner = EffectRunner::new(self.consuming.clone(), handler_name, handler);
        let beating = beat(Arc::clone(&runner.pulse), self.consuming.pool.clone());
        tokio::select! {
            () = beating => Ok(()),
            ended = self.work(runner, token) => ended,
        }
    }

    async fn work<R: Run>(mut self, runner: R, token: CancellationToken) -> anyhow::Result<()> {
        let delays = self.consuming.policy.delays();
        self.subscription.delays.extend(delays);
        let worker = Arc::new(Worker {
            rabbitmq: self.rabbitmq,
            runner,
            consuming: self.consuming,
            subscription: self.subscription,
        });
        // A set, so that all of them end when this future is dropped.
        let mut workers = JoinSet::new();
        {
            let (worker, token) = (Arc::clone(&worker), token.clone());
            workers.spawn(async move { worker.keep_declared(&token).await });
        }
        for _ in 0..self.concurrency {
            let (worker, token) = (Arc::clone(&worker), token.clone());
            workers.spawn(async move { worker.run(&token).await });
        }
        while let Some(ended) = workers.join_next().await {
            ended.context("a consumer panicked")?;
        }
        Ok(())
    }
}
