use sqlx::PgPool;
use sqlx::migrate::MigrateError;

/// Creates or upgrades the tables of this crate (outbox, inbox, leases), in the schema
/// `messaging`, beside those of the service.
///
/// # Errors
///
/// When the database is away or holds a schema of another history.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    let mut migrator = sqlx::migrate!();
    migrator.create_schema("messaging");
    migrator.dangerous_set_table_name("messaging._migrations");
    migrator.run(pool).await
}
