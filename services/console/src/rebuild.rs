//! Throws away what was read from topics, so that the next start reads it anew.

use std::time::Duration;

use anyhow::Context;
use contracts::topology::{ORDER_EVENTS, PRODUCTS, STOCK_EVENTS, STOCK_LEVELS, Topic};
use messaging::Bus;
use tokio::time::timeout;

use crate::config::Config;
use crate::handlers::{RECORD_DECISIONS, RECORD_LEVELS, RECORD_ORDERS, RECORD_PRODUCTS};
use crate::store;

/// What the sub-command does.
pub const ABOUT: &str = "Empty what was read from topics, so that the next start reads it anew; \
                         refused while a console runs";

/// What is read.
pub const TOPICS: [Topic; 4] = [ORDER_EVENTS, STOCK_EVENTS, STOCK_LEVELS, PRODUCTS];

/// By whom.
const HANDLERS: [&str; 4] = [
    RECORD_ORDERS,
    RECORD_DECISIONS,
    RECORD_LEVELS,
    RECORD_PRODUCTS,
];

/// A database that is away is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Empties the read model, and forgets in the same transaction that anything was read: a console that is
/// started afterwards takes all that is in the topics. What no topic has stays: dead letters and their
/// history, jobs, controls, spans, and what was counted of queues.
///
/// # Errors
///
/// When a console still runs, or the database or Kafka does not answer.
pub async fn rebuild(config: Config) -> anyhow::Result<()> {
    let connected = timeout(
        PATIENCE,
        database::connect_planning(&config.database, "console"),
    );
    let pool = (connected.await).context("the database does not answer")??;
    let bus = Bus::new("console", config.messaging, pool)?;
    bus.nobody_consumes(&TOPICS).await?;

    let mut tx = bus.begin().await?;
    store::empty_read_model(&mut tx).await?;
    bus.read_again(&mut tx, &TOPICS, &HANDLERS).await?;
    tx.commit().await?;
    println!("The read model is empty. The next start reads all that is in the topics.");
    Ok(())
}
