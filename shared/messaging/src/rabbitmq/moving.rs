use std::time::Duration;

use anyhow::anyhow;
use lapin::Channel;
use lapin::message::Delivery;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::attempts::with_failed_attempts;
use super::channel::{ConfirmChannel, Outgoing};
use super::properties::short_string;
use crate::backoff::Backoff;
use crate::consume::Stopped;
use crate::outbox::{delay_queue_name, own_exchange};

/// Why a worker acknowledges nothing of a batch: all of it is delivered again.
#[derive(Debug)]
pub(super) enum GivenUp {
    /// The stop came first.
    Stopped,
    /// The channel failed.
    Failed(anyhow::Error),
}

impl From<Stopped> for GivenUp {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// Publishes until the broker has confirmed every message that is moved out of a queue, however long
/// it takes none.
///
/// When the channel is lost on which these messages were delivered it gives up: then somebody else
/// has them, and whatever becomes of them there, they must not be moved from here any more.
pub(super) async fn move_until_confirmed(
    mut window: Vec<Outgoing>,
    publisher: &mut ConfirmChannel,
    queue: &str,
    delivered_on: &Channel,
    token: &CancellationToken,
) -> Result<(), GivenUp> {
    let mut backoff = Backoff::default();
    while !window.is_empty() {
        let results = publisher.publish(&window).await;
        let mut failed = None;
        let left = window
            .into_iter()
            .zip(results)
            .filter_map(|(message, result)| {
                failed = Some(result.err()?);
                Some(message)
            });
        window = left.collect();
        let Some(error) = failed else { continue };
        if !delivered_on.status().connected() {
            let error = anyhow!("{error}");
            return Err(GivenUp::Failed(
                error.context("cannot move a failed message on, it stays in its queue"),
            ));
        }
        let (error, messages) = (error.to_string(), window.len());
        warn!(
            queue,
            messages, error, "cannot move failed messages of queue {queue} on, holding them"
        );
        let pause = tokio::time::sleep(backoff.next_pause());
        token.run_until_cancelled(pause).await.ok_or(Stopped)?;
    }
    Ok(())
}

/// A failed message on its way to the queue in which it waits for its next attempt.
pub(super) fn into_delay_queue(
    delivery: Delivery,
    queue: &str,
    attempts: u32,
    pause: Duration,
) -> Outgoing {
    Outgoing {
        exchange: short_string(&own_exchange(queue)),
        routing_key: short_string(&delay_queue_name(queue, pause)),
        properties: with_failed_attempts(&delivery.properties, attempts),
        body: delivery.data,
    }
}
