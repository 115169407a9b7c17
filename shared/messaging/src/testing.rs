//! For the tests of services: a bus without brokers, and messages handled without being delivered.
//!
//! This room promises that a handler sees what it would see behind a broker: decoded messages, in one
//! transaction that commits with all that it publishes. What is published stays in the outbox, where
//! a test can look at it. Behind the cargo feature `testing`.

pub mod buffers;

use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, Command, FromArgMatches};
use jiff::Timestamp;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::args::MessagingArgs;
use crate::bus::Bus;
use crate::cause::Cause;
use crate::claims::{Claim, beat};
use crate::consume::{EffectRunner, Outcome, Pending, Run, Stopped};
use crate::handler::{BatchHandler, EffectHandler, Position, Received};
use crate::migrate::migrate;

/// A bus without brokers, on a database with the tables of this crate.
///
/// # Errors
///
/// When the tables cannot be created.
pub async fn bus(service: &'static str, pool: &PgPool) -> anyhow::Result<Bus> {
    migrate(pool).await?;
    bus_without_database(service, pool)
}

/// A bus without brokers, whose database need not be there until something is published.
///
/// # Errors
///
/// When a variable in the environment does not fit.
pub fn bus_without_database(service: &'static str, pool: &PgPool) -> anyhow::Result<Bus> {
    Bus::new(service, args()?, pool.clone())
}

/// The arguments of such a bus: the defaults, and addresses where nobody listens.
///
/// # Errors
///
/// When a variable in the environment does not fit.
pub fn args() -> anyhow::Result<MessagingArgs> {
    let command = MessagingArgs::augment_args(Command::new("test"));
    let nowhere = [
        "--amqp-url=amqp://localhost:1",
        "--kafka-brokers=localhost:1",
    ];
    let matches = command.no_binary_name(true).try_get_matches_from(nowhere)?;
    Ok(MessagingArgs::from_arg_matches(&matches)?)
}

/// A message as if it had just been delivered for the first time, caused by nobody.
pub fn received<M>(body: M) -> Received<M> {
    Received {
        id: Uuid::now_v7(),
        time: Timestamp::now(),
        cause: Cause::none(),
        position: None,
        body,
    }
}

/// A record as if it had just been read at this place of its topic.
pub fn record<M>(partition: i32, offset: i64, body: M) -> Received<M> {
    let position = Some(Position { partition, offset });
    Received {
        position,
        ..received(body)
    }
}

/// The cause of a message that carries this W3C `traceparent`.
#[must_use]
pub fn cause(traceparent: &str) -> Cause {
    Cause::from_traceparent(Some(traceparent.to_owned()))
}

/// Handles messages the way a consumer does with a batch of them: all in one transaction. They
/// are new, so the inbox is not asked.
///
/// # Errors
///
/// When the handler fails: its reason, and nothing is committed. A consumer would go on one by one.
pub async fn handle<H: BatchHandler>(
    bus: &Bus,
    handler: &H,
    bodies: impl IntoIterator<Item = H::Message>,
) -> anyhow::Result<()> {
    let batch: Vec<_> = bodies.into_iter().map(received).collect();
    handle_batch(bus, handler, &batch).await
}

/// The same with all that is known of each message, for example a [`record`].
///
/// # Errors
///
/// As those of [`handle`].
pub async fn handle_batch<H: BatchHandler>(
    bus: &Bus,
    handler: &H,
    batch: &[Received<H::Message>],
) -> anyhow::Result<()> {
    let mut tx = bus.begin().await?;
    let handled = handler.handle_batch(&mut tx, batch).await;
    handled.map_err(|failure| anyhow!("{failure}"))?;
    Ok(tx.commit().await?)
}

/// The right to bring about an effect, which nobody disputes.
#[must_use]
pub fn claim() -> Claim {
    Claim::for_ever()
}

/// Handles a message the way a consumer does whose effects cannot be undone, as an instance of its own:
/// waits while something is away, and until what happened is recorded.
///
/// # Errors
///
/// When the handler fails: its reason.
pub async fn handle_effect<H: EffectHandler>(
    bus: &Bus,
    handler: H,
    message: Received<H::Message>,
) -> anyhow::Result<()> {
    let runner = EffectRunner::new(bus.consuming().clone(), "test", handler);
    let pending = [Pending {
        received: message,
        partition: None,
        doubt: None,
        failed_before: 0,
    }];
    let beating = beat(Arc::clone(&runner.pulse), bus.consuming().pool.clone());
    let token = CancellationToken::new();
    tokio::select! {
        () = beating => Ok(()),
        outcomes = runner.run(&pending, &token) => match outcomes {
            Ok(outcomes) => match outcomes.iter().find_map(Outcome::failure) {
                Some(failure) => Err(anyhow!("{failure}")),
                None => Ok(()),
            },
            Err(Stopped) => Err(anyhow!("stopped")),
        },
    }
}
