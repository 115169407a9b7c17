use std::time::Duration;

use anyhow::Context;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Instant, interval_at};
use tracing::{info, warn};

use crate::patience::patiently;
use crate::{Speaks, speaks};

/// A migration takes as long as it takes, and an instance waits for another one that migrates. When
/// the process of a migration has died, its server notices after some seconds and stops it, so that
/// the next process gets the lock.
const NO_LIMITS: [(&str, &str); 4] = [
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("client_connection_check_interval", "5s"),
];

/// How often somebody who waits is told.
const REMINDER: Duration = Duration::from_secs(5);

/// Brings the tables up to what this program needs, one instance at a time and however long it takes,
/// on a connection of its own without the limits of the pool.
///
/// Migrations of a newer program are left alone: whoever has to go back to an older one can.
///
/// A database that goes away or takes no writes is waited for.
///
/// # Errors
///
/// When a migration fails, or when one that was applied is another one now.
pub async fn migrate(pool: &PgPool, mut migrator: Migrator) -> anyhow::Result<()> {
    let table = migrator.table_name.clone();
    migrator.set_ignore_missing(true);
    let options = pool.connect_options().as_ref().clone().options(NO_LIMITS);
    let migrating = patiently(
        &table,
        || try_to_migrate(&options, &migrator),
        speaks_of_the_database,
    );
    let mut migrating = std::pin::pin!(migrating);
    let started = Instant::now();
    let mut reminder = interval_at(started + REMINDER, REMINDER);
    loop {
        tokio::select! {
            migrated = &mut migrating => {
                return migrated.with_context(|| format!("migrations of {table} failed"));
            }
            _ = reminder.tick() => {
                let waited = started.elapsed();
                info!(%table, ?waited, "migrations of {table} take time, not ready before they are done");
            }
        }
    }
}

async fn try_to_migrate(options: &PgConnectOptions, migrator: &Migrator) -> anyhow::Result<()> {
    let mut db = PgConnection::connect_with(options).await?;
    migrator.run_direct(None, &mut db, false).await?;
    report_newer(&mut db, migrator).await?;
    db.close().await?;
    Ok(())
}

fn speaks_of_the_database(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.next().map(speaks) == Some(Speaks::OfTheDatabase)
}

/// Says that the tables are newer than the program.
async fn report_newer(db: &mut PgConnection, migrator: &Migrator) -> anyhow::Result<()> {
    let table = &migrator.table_name;
    for applied in db.list_applied_migrations(table).await? {
        let version = applied.version;
        if !migrator.version_exists(version) {
            warn!(
                %table,
                version, "migration {version} in {table} is of a newer program, going on with its tables"
            );
        }
    }
    Ok(())
}
