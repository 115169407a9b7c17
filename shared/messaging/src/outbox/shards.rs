use database::Sessions;
use sqlx::PgPool;

/// Most shards that make sense: each is a row that a relay renews every two seconds.
const MOST: i16 = 1024;

/// SQLSTATE of a lock that somebody else holds.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// A value parser for clap: a number of shards. The hash of the ordering key is masked, so it has to be a
/// power of two.
pub(crate) fn parse_shards(text: &str) -> Result<i16, String> {
    let shards: i16 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if !(1..=MOST).contains(&shards) || shards.count_ones() != 1 {
        return Err(format!("it has to be a power of two up to {MOST}"));
    }
    Ok(shards)
}

/// What became of the wish for a number of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Divided {
    /// There are so many.
    AsWanted,
    /// There are so many now.
    Anew { before: i64 },
    /// Something waits in the outbox or is being written.
    NotYet { before: i64 },
}

/// Divides the outbox into so many shards for each broker, if nothing is in it: then no key has a message
/// that the holder of its old shard could publish after the holder of its new one has published the next.
///
/// Whoever writes a row looks at the number of leases in the statement that writes it, so all instances
/// go by the new number with their next row, and relays take the new leases when they next renew.
pub(crate) async fn divide(pool: &PgPool, shards: i16) -> sqlx::Result<Divided> {
    // A slow database is not waited for, and from there a pool could hand out a connection whose transaction is open.
    let mut tx = Sessions::new(pool.clone()).begin().await?;
    let count = "select count(*) from messaging.leases where transport = 'kafka'";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await?;
    if before == i64::from(shards) {
        return Ok(Divided::AsWanted);
    }
    // Nobody waits behind this lock, and whoever has written a row holds one against it until its transaction
    // ends. The second table is locked so that no renewal waits for a lease in another order than this does.
    let lock = "lock table messaging.outbox, messaging.leases in share row exclusive mode nowait";
    match sqlx::query(lock).execute(&mut *tx).await {
        Ok(_) => {}
        Err(error) if is_lock_of_others(&error) => return Ok(Divided::NotYet { before }),
        Err(error) => return Err(error),
    }
    let anything = "select exists (select from messaging.outbox)";
    let is_anything: bool = sqlx::query_scalar(anything).fetch_one(&mut *tx).await?;
    if is_anything {
        return Ok(Divided::NotYet { before });
    }
    sqlx::query("delete from messaging.leases where shard >= $1")
        .bind(shards)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "insert into messaging.leases (transport, shard)
         select transport, shard
         from unnest(array['rabbitmq', 'kafka']) transport, generate_series(0, $1::int - 1) shard
         on conflict do nothing",
    )
    .bind(i32::from(shards))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Divided::Anew { before })
}

fn is_lock_of_others(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}

#[cfg(test)]
mod tests;
