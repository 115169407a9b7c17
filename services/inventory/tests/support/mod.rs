//! What the tests of this service share.

use anyhow::Result;
use clap::Parser;
use messaging::{Bus, MessagingArgs};
use sqlx::PgPool;

/// A bus without brokers: what is published stays in the outbox.
pub(crate) async fn bus(pool: &PgPool) -> Result<Bus> {
    messaging::migrate(pool).await?;
    bus_without_database(pool)
}

/// A bus whose database need not be there until something is published.
pub(crate) fn bus_without_database(pool: &PgPool) -> Result<Bus> {
    #[derive(Parser)]
    struct Args {
        #[command(flatten)]
        messaging: MessagingArgs,
    }
    let nowhere = [
        "test",
        "--amqp-url",
        "amqp://localhost:1",
        "--kafka-brokers",
        "localhost:1",
    ];
    Bus::new(
        "inventory",
        Args::try_parse_from(nowhere)?.messaging,
        pool.clone(),
    )
}
