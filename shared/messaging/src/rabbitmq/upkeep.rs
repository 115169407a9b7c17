use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::connection::{Purpose, RabbitMq, TIMEOUT};
use super::topology::Piece;

/// How long something that an operator removed is missing at most.
const INTERVAL: Duration = Duration::from_secs(5);

/// Declares the pieces again and again until stopped, because somebody may remove one while
/// everything runs: then messages have nowhere to go, and no error says so to the consumer.
pub(super) async fn keep_declared(
    rabbitmq: &RabbitMq,
    pieces: &[Piece],
    token: &CancellationToken,
) {
    let mut tick = interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let declared = token.run_until_cancelled(declare(rabbitmq, pieces)).await;
        if let Some(Err(error)) = declared {
            // The consumer says the same, and when it is over.
            debug!(error = format!("{error:#}"), "cannot declare anything");
        }
    }
}

/// Declares the pieces in order. One that the broker refuses does not keep away those behind it: it
/// is noted, for logs, metrics and health.
///
/// # Errors
///
/// When the broker is away.
pub(super) async fn declare(rabbitmq: &RabbitMq, pieces: &[Piece]) -> anyhow::Result<()> {
    let mut channel = rabbitmq.channel(Purpose::Consume).await?;
    for piece in pieces {
        let refusal = match piece.declare(&channel).await {
            Ok(()) => None,
            Err(error) if is_refusal(&error) => Some(format!("{error:#}")),
            Err(error) => return Err(error),
        };
        rabbitmq.refusals().note(&piece.to_string(), refusal);
        if !channel.status().connected() {
            channel = rabbitmq.channel(Purpose::Consume).await?;
        }
    }
    timeout(TIMEOUT, channel.close(200, "declared".into()))
        .await
        .ok();
    Ok(())
}

/// The broker answers and does not want it: it is there with other arguments, or not permitted.
pub(super) fn is_refusal(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<lapin::Error>();
    error.is_some_and(lapin::Error::is_amqp_soft_error)
}
