use lapin::message::Delivery;
use tracing::{debug, warn};

use super::attempts::failed_attempts;
use super::channel::Outgoing;
use super::dead_letters;
use super::moving::into_delay_queue;
use super::worker::Worker;
use crate::consume::{DeadLetter, Origin, Outcome, Run, Settlement};

/// Where a message goes that failed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whither {
    DelayQueue,
    DeadLetters,
}

impl<R: Run> Worker<R> {
    /// The message as it has to be published before it leaves its queue: to the delay queue of its
    /// next attempt or to the dead letters. Nothing when it is done with.
    pub(super) fn settle(
        &self,
        delivery: Delivery,
        outcome: Outcome,
    ) -> Option<(Outgoing, Whither)> {
        let (queue, handler) = (self.subscription.queue, self.runner.name());
        let failed_before = failed_attempts(&delivery.properties, queue);
        match self.consuming.policy.settle(outcome, failed_before) {
            // Messages of a queue have no order to keep, so none is ever behind another.
            Settlement::Done | Settlement::Behind => None,
            Settlement::Again {
                pause,
                attempts,
                error,
            } => {
                let (message_id, error) = (id_of(&delivery), format!("{error:#}"));
                debug!(
                    message_id,
                    queue,
                    attempts,
                    ?pause,
                    error,
                    "message {message_id:?} of queue {queue} is tried again in {pause:?}"
                );
                let outgoing = into_delay_queue(delivery, queue, attempts, pause);
                Some((outgoing, Whither::DelayQueue))
            }
            Settlement::DeadLetter {
                attempts,
                reason,
                doubt,
            } => {
                let message_id = id_of(&delivery);
                warn!(
                    message_id,
                    queue,
                    handler,
                    attempts,
                    reason,
                    "message {message_id:?} of queue {queue} becomes a dead letter"
                );
                let letter = DeadLetter {
                    origin: Origin::Queue {
                        queue: queue.to_owned(),
                        exchange: delivery.exchange.to_string(),
                        routing_key: delivery.routing_key.to_string(),
                    },
                    service: self.consuming.service,
                    handler,
                    reason,
                    attempts,
                    doubt,
                };
                let (properties, body) = (delivery.properties, delivery.data);
                let outgoing = dead_letters::outgoing(&letter, &properties, body);
                Some((outgoing, Whither::DeadLetters))
            }
        }
    }

    /// The broker has confirmed it there. Counted any sooner, it would count again when the connection is lost and
    /// the message delivered anew.
    pub(super) fn count(&self, moved: Whither) {
        let (metrics, handler) = (&self.consuming.metrics, self.runner.name());
        match moved {
            Whither::DelayQueue => metrics.retried(handler),
            Whither::DeadLetters => metrics.dead_lettered(handler),
        }
    }
}

/// For logs.
fn id_of(delivery: &Delivery) -> &str {
    let id = delivery.properties.message_id().as_ref();
    id.map_or("without an id", |id| id.as_str())
}
