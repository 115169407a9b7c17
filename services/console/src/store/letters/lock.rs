use database::{Session, Sessions};
use sqlx::PgPool;

/// Any number will do.
const LOCK: i64 = 0x6c65_7474_6572;

/// A transaction that has the letters to itself, among all instances, so that a copy finds the letter that is just
/// being written, and nobody waits for two letters in the order in which somebody else waits for them. Not to be held
/// while anything but the database is waited for.
pub(in crate::store) async fn alone(pool: &PgPool) -> sqlx::Result<Session> {
    // Whoever asked may go away, and from there a pool could hand out a connection whose transaction is open.
    let mut tx = Sessions::new(pool.clone()).begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *tx)
        .await?;
    Ok(tx)
}
