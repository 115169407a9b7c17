//! Transactions on connections that stay. Needs a PostgreSQL at `DATABASE_URL`.

use anyhow::Result;
use database::{Session, Sessions};
use sqlx::{Connection, PgPool};

#[sqlx::test]
async fn the_next_transaction_uses_the_connection_that_has_just_committed(
    pool: PgPool,
) -> Result<()> {
    let sessions = Sessions::new(pool);
    let mut first = sessions.begin().await?;
    let mut second = sessions.begin().await?;
    let (one, other) = (process(&mut first).await?, process(&mut second).await?);
    assert_ne!(one, other);
    second.commit().await?;
    first.rollback().await?;
    for _ in 0..3 {
        let mut next = sessions.begin().await?;
        assert_eq!(process(&mut next).await?, one);
        next.commit().await?;
    }
    Ok(())
}

#[sqlx::test]
async fn what_is_not_committed_is_rolled_back(pool: PgPool) -> Result<()> {
    let sessions = Sessions::new(pool.clone());
    sqlx::query("create table parcels (number int)")
        .execute(&pool)
        .await?;
    let insert = "insert into parcels values ($1)";
    for number in 1..=3 {
        let mut session = sessions.begin().await?;
        let inserted = sqlx::query(insert).bind(number);
        inserted.execute(&mut *session).await?;
        match number {
            1 => session.commit().await?,
            2 => session.rollback().await?,
            _ => drop(session),
        }
    }
    // Inside of a session a transaction is a part of it.
    let mut session = sessions.begin().await?;
    let mut part = session.begin().await?;
    sqlx::query(insert).bind(4).execute(&mut *part).await?;
    part.rollback().await?;
    sqlx::query(insert).bind(5).execute(&mut *session).await?;
    session.commit().await?;
    let numbers = sqlx::query_scalar("select number from parcels order by number");
    let numbers: Vec<i32> = numbers.fetch_all(&pool).await?;
    assert_eq!(numbers, [1, 5]);
    Ok(())
}

#[sqlx::test]
async fn nobody_notices_that_the_connections_were_killed(pool: PgPool) -> Result<()> {
    let sessions = Sessions::new(pool.clone());
    let mut killed = Vec::new();
    let (mut one, mut other) = (sessions.begin().await?, sessions.begin().await?);
    for session in [&mut one, &mut other] {
        killed.push(process(session).await?);
    }
    one.commit().await?;
    other.commit().await?;
    // Waits until they are gone.
    sqlx::query("select pg_terminate_backend(process, 5000) from unnest($1) process")
        .bind(&killed)
        .execute(&pool)
        .await?;
    let mut session = sessions.begin().await?;
    assert!(!killed.contains(&process(&mut session).await?));
    session.commit().await?;
    Ok(())
}

/// The process of the server behind a connection.
async fn process(session: &mut Session) -> Result<i32> {
    let process = sqlx::query_scalar("select pg_backend_pid()");
    Ok(process.fetch_one(&mut **session).await?)
}
