use std::time::Duration;

use anyhow::Context;
use contracts::topology::{DEAD_LETTER_QUEUE, DEAD_LETTERS, Exchange, ExchangeKind};
use lapin::Channel;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::time::timeout;

use super::connection::TIMEOUT;
use super::properties::short_string;
use crate::faults::{Guarantee, without};
use crate::outbox::{DEFAULT_EXCHANGE, delay_queue_name};

pub(crate) async fn declare_exchange(channel: &Channel, exchange: Exchange) -> anyhow::Result<()> {
    let kind = match exchange.kind {
        ExchangeKind::Direct => lapin::ExchangeKind::Direct,
        ExchangeKind::Topic => lapin::ExchangeKind::Topic,
        ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
    };
    let options = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    timeout(
        TIMEOUT,
        channel.exchange_declare(
            short_string(exchange.name),
            kind,
            options,
            FieldTable::default(),
        ),
    )
    .await
    .context("timed out")?
    .with_context(|| format!("cannot declare exchange `{}`", exchange.name))
}

/// Declares a durable quorum queue. Limits and dead-lettering by the broker are set by policy, so
/// that an operator can change them without touching the service.
pub(crate) async fn declare_queue(channel: &Channel, queue: &str) -> anyhow::Result<()> {
    let kind = if without(Guarantee::Persistence) {
        of_kind("classic")
    } else {
        quorum()
    };
    declare(channel, queue, kind).await
}

/// Declares the queue in which messages wait before they enter `queue`. It has no consumer: all
/// its messages expire after the same time, so none waits behind one with a longer delay.
pub(crate) async fn declare_delay_queue(
    channel: &Channel,
    queue: &str,
    delay: Duration,
) -> anyhow::Result<()> {
    let text = |value: &str| AMQPValue::LongString(value.into());
    let milliseconds = i64::try_from(delay.as_millis()).context("the delay is too long")?;
    let mut arguments = quorum();
    for (name, value) in [
        ("x-message-ttl", AMQPValue::LongLongInt(milliseconds)),
        ("x-dead-letter-exchange", text(DEFAULT_EXCHANGE)),
        ("x-dead-letter-routing-key", text(queue)),
        // A message leaves the delay queue only once the other queue has confirmed it.
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ] {
        arguments.insert(name.into(), value);
    }
    declare(channel, &delay_queue_name(queue, delay), arguments).await
}

/// Declares the exchange of dead letters and the queue that keeps them. Whoever may have a dead
/// letter does so, since nobody owns them.
pub(crate) async fn declare_dead_letters(channel: &Channel) -> anyhow::Result<()> {
    declare_exchange(channel, DEAD_LETTERS).await?;
    declare(channel, DEAD_LETTER_QUEUE, quorum()).await?;
    bind(channel, DEAD_LETTER_QUEUE, DEAD_LETTERS, "").await
}

pub(crate) async fn bind(
    channel: &Channel,
    queue: &str,
    exchange: Exchange,
    routing_key: &str,
) -> anyhow::Result<()> {
    let bound = channel.queue_bind(
        short_string(queue),
        short_string(exchange.name),
        short_string(routing_key),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    timeout(TIMEOUT, bound)
        .await
        .context("timed out")?
        .with_context(|| {
            format!(
                "cannot bind `{queue}` to `{}` by `{routing_key}`",
                exchange.name
            )
        })
}

async fn declare(channel: &Channel, queue: &str, arguments: FieldTable) -> anyhow::Result<()> {
    timeout(
        TIMEOUT,
        channel.queue_declare(
            short_string(queue),
            QueueDeclareOptions::durable(),
            arguments,
        ),
    )
    .await
    .context("timed out")?
    .with_context(|| format!("cannot declare queue `{queue}`"))?;
    Ok(())
}

fn quorum() -> FieldTable {
    of_kind("quorum")
}

fn of_kind(kind: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
    arguments
}
