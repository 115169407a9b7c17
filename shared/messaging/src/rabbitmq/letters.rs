use anyhow::Context;
use contracts::topology::{DEAD_LETTER_QUEUE, DEAD_LETTERS};
use futures::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::connection::{RabbitMq, TIMEOUT};
use super::letter::letter;
use super::subscription::consume;
use super::topology::Piece;
use super::upkeep;
use crate::backoff::Backoff;
use crate::letters::{KeepLetters, Letter};

/// How many letters are kept at once. Their bodies are in memory meanwhile, and may be large.
const BATCH: u16 = 2;

/// Takes all dead letters out of their queue: built by `Bus::dead_letters`.
///
/// There is no way to refuse one: whatever it is, it is kept, and acknowledged after that.
#[must_use = "a consumer does nothing until `run`"]
pub struct DeadLetterConsumer {
    rabbitmq: RabbitMq,
}

impl DeadLetterConsumer {
    pub(crate) fn new(rabbitmq: RabbitMq) -> Self {
        Self { rabbitmq }
    }

    /// Hands letters over until stopped, through any number of lost connections. What cannot be kept stays in
    /// the queue.
    ///
    /// # Errors
    ///
    /// None that a connection causes; the future ends when `token` is cancelled.
    pub async fn run<K: KeepLetters>(
        self,
        keeper: K,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let pieces = [
            Piece::exchange(DEAD_LETTERS),
            Piece::queue(DEAD_LETTER_QUEUE),
            Piece::binding(DEAD_LETTER_QUEUE, DEAD_LETTERS.name, ""),
        ];
        let mut backoff = Backoff::default();
        let taking = async {
            loop {
                let healthy = || backoff = Backoff::default();
                if let Err(error) = self.take(&pieces, &keeper, healthy).await {
                    let error = format!("{error:#}");
                    warn!(error, "taking dead letters starts over");
                }
                tokio::time::sleep(backoff.next_pause()).await;
            }
        };
        tokio::join!(
            token.run_until_cancelled(taking),
            upkeep::keep_declared(&self.rabbitmq, &pieces, &token)
        );
        Ok(())
    }

    /// One channel, until it fails.
    async fn take<K: KeepLetters>(
        &self,
        pieces: &[Piece],
        keeper: &K,
        mut healthy: impl FnMut(),
    ) -> anyhow::Result<()> {
        upkeep::declare(&self.rabbitmq, pieces).await?;
        let options = BasicConsumeOptions::default();
        let consumed = consume(&self.rabbitmq, DEAD_LETTER_QUEUE, BATCH, options);
        let (channel, mut deliveries) = consumed.await?;
        info!("taking dead letters");
        loop {
            let first = deliveries.next().await;
            let mut batch = vec![first.context("the broker cancelled the consumer")??];
            while batch.len() < usize::from(BATCH)
                && let Some(Some(next)) = deliveries.next().now_or_never()
            {
                batch.push(next?);
            }
            let last = batch.last().map_or(0, |delivery| delivery.delivery_tag);
            let letters: Vec<_> = batch.into_iter().map(letter).collect();
            keep(keeper, &letters, &channel).await?;
            let multiple = BasicAckOptions { multiple: true };
            let acknowledged = timeout(TIMEOUT, channel.basic_ack(last, multiple)).await;
            acknowledged.context("ack timed out")??;
            healthy();
        }
    }
}

/// Holds the letters until they are kept, or until somebody else gets them because the channel is lost.
async fn keep<K: KeepLetters>(
    keeper: &K,
    letters: &[Letter],
    channel: &Channel,
) -> anyhow::Result<()> {
    let mut backoff = Backoff::default();
    while let Err(error) = keeper.keep(letters).await {
        let (error, count) = (format!("{error:#}"), letters.len());
        warn!(error, "cannot keep {count} dead letters, holding them");
        tokio::time::sleep(backoff.next_pause()).await;
        if !channel.status().connected() {
            anyhow::bail!("the channel is lost");
        }
    }
    Ok(())
}
