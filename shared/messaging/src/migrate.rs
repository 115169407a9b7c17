use database::{Speaks, speaks};
use sqlx::PgPool;
use tracing::warn;

use crate::backoff::Backoff;

/// The tables of this crate that a consumer and a relay need, in the schema `messaging`.
pub(crate) const TABLES: [&str; 6] = [
    "messaging.outbox",
    "messaging.refused",
    "messaging.inbox",
    "messaging.leases",
    "messaging.relays",
    "messaging.read_topics",
];

/// Creates or upgrades the tables of this crate (outbox, inbox, leases), in the schema
/// `messaging`, beside those of the service. Call it before the migrations of the service.
///
/// # Errors
///
/// When the database holds a schema of another history. One that is away is waited for.
pub async fn migrate(pool: &PgPool) -> anyhow::Result<()> {
    let mut migrator = sqlx::migrate!();
    migrator.create_schema("messaging");
    migrator.dangerous_set_table_name("messaging._migrations");
    database::migrate(pool, migrator).await?;
    forget_without_effects(pool).await?;
    Ok(())
}

/// When the tables of the service are new and those of this crate are not (somebody has dropped the
/// schema of the service alone), nothing that the inbox remembers has an effect any more.
async fn forget_without_effects(pool: &PgPool) -> sqlx::Result<()> {
    let forget = "delete from messaging.inbox where to_regclass('_sqlx_migrations') is null";
    let mut backoff = Backoff::default();
    loop {
        match sqlx::query(forget).execute(pool).await {
            Err(error) if speaks(&error) == Speaks::OfTheDatabase => {
                let (error, pause) = (error.to_string(), backoff.next_pause());
                warn!(error, "waiting for the database, next try in {pause:?}");
                tokio::time::sleep(pause).await;
            }
            forgotten => return forgotten.map(drop),
        }
    }
}
