use std::time::{Duration, Instant};

use lapin::Channel;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::connection::{Purpose, RabbitMq, TIMEOUT};
use super::topology::Piece;
use super::unrouted::DOUBT;

/// How long something that an operator removed is missing at most.
const INTERVAL: Duration = Duration::from_secs(5);

/// Declares the pieces again and again until stopped, because somebody may remove one while
/// everything runs: then messages have nowhere to go, and no error says so to the consumer.
///
/// A binding that is there, and by which the broker routes nothing all the same, is removed first. RabbitMQ
/// keeps bindings of topic exchanges twice, as a list and as a tree that it routes by, and the tree can miss
/// one after its exchange was deleted while it was declared (rabbitmq-server#4236, #13029). Declaring what is
/// in the list changes nothing.
pub(super) async fn keep_declared(
    rabbitmq: &RabbitMq,
    pieces: &[Piece],
    token: &CancellationToken,
) {
    let mut tick = interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut doubted = Instant::now();
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let declared = async {
            if doubted.elapsed() >= DOUBT && unbind_in_doubt(rabbitmq, pieces).await {
                doubted = Instant::now();
            }
            declare(rabbitmq, pieces).await
        };
        let declared = token.run_until_cancelled(declared).await;
        if let Some(Err(error)) = declared {
            // The consumer says the same, and when it is over.
            debug!(error = format!("{error:#}"), "cannot declare anything");
        }
    }
}

/// Removes the bindings by which messages should have been routed that came back for long. Answers whether
/// there was one.
async fn unbind_in_doubt(rabbitmq: &RabbitMq, pieces: &[Piece]) -> bool {
    let addresses = rabbitmq.unrouted().lasting();
    let leads = |piece: &&Piece| addresses.iter().any(|address| piece.leads_from(address));
    let in_doubt: Vec<_> = pieces.iter().filter(leads).collect();
    if in_doubt.is_empty() {
        return false;
    }
    if let Err(error) = unbind(rabbitmq, &in_doubt).await {
        // Whatever is in the way is in the way of declaring as well.
        debug!(error = format!("{error:#}"), "cannot remove a binding");
    }
    true
}

async fn unbind(rabbitmq: &RabbitMq, bindings: &[&Piece]) -> anyhow::Result<()> {
    let channel = rabbitmq.channel(Purpose::Consume).await?;
    for piece in bindings {
        warn!(%piece, "RabbitMQ does not route by the {piece}: it is removed and declared anew");
        piece.unbind(&channel).await?;
    }
    close(&channel).await;
    Ok(())
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
    close(&channel).await;
    Ok(())
}

async fn close(channel: &Channel) {
    let closed = channel.close(200, "declared".into());
    timeout(TIMEOUT, closed).await.ok();
}

/// The broker answers and does not want it: it is there with other arguments, or not permitted.
pub(super) fn is_refusal(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<lapin::Error>();
    error.is_some_and(lapin::Error::is_amqp_soft_error)
}
