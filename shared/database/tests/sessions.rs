//! Transactions on connections that stay. Needs a PostgreSQL at `DATABASE_URL`.

use std::time::Duration;

use anyhow::{Context, Result};
use database::{Session, Sessions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool};
use tokio::time::timeout;

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
async fn a_transaction_begins_with_an_insertion_unless_that_violates_a_key(
    pool: PgPool,
) -> Result<()> {
    let sessions = Sessions::new(pool.clone());
    sqlx::query("create table parcels (number int primary key)")
        .execute(&pool)
        .await?;
    let mut used = Vec::new();
    for (insertion, is_done) in [
        ("insert into parcels values (1), (2)", true),
        ("insert into parcels values (3), (2)", false),
        ("insert into parcels values (4)", true),
    ] {
        let (mut session, was_done) = sessions.begin_with(insertion).await?;
        assert_eq!(was_done, is_done, "{insertion}");
        // The transaction is good for more, and on the same connection, whatever became of the insertion.
        let insert = sqlx::query("insert into parcels select max(number) + 10 from parcels");
        insert.execute(&mut *session).await?;
        used.push(process(&mut session).await?);
        session.commit().await?;
    }
    assert_eq!(used, [used[0]; 3]);
    let (session, _) = sessions
        .begin_with("insert into parcels values (99)")
        .await?;
    session.rollback().await?;
    let numbers = sqlx::query_scalar("select number from parcels order by number");
    let numbers: Vec<i32> = numbers.fetch_all(&pool).await?;
    assert_eq!(numbers, [1, 2, 4, 12, 22, 32]);
    Ok(())
}

#[sqlx::test]
async fn what_else_is_wrong_with_an_insertion_is_told(pool: PgPool) -> Result<()> {
    let sessions = Sessions::new(pool.clone());
    sessions.begin().await?.commit().await?;
    let begun = sessions.begin_with("insert into nowhere values (1)").await;
    assert!(matches!(begun, Err(sqlx::Error::Database(_))));
    sessions.begin().await?.commit().await?;
    Ok(())
}

#[sqlx::test]
async fn an_insertion_that_nobody_waits_for_any_more_is_committed_by_nobody(
    options: PgPoolOptions,
    server: PgConnectOptions,
) -> Result<()> {
    let pool = options.max_connections(2).connect_with(server).await?;
    let sessions = Sessions::new(pool.clone());
    sqlx::query("create table parcels (number int primary key)")
        .execute(&pool)
        .await?;
    let insertion = "insert into parcels values (1)";
    let (first, _) = sessions.begin_with(insertion).await?;
    // It waits for the end of the first, and is given up.
    let second = timeout(Duration::from_millis(200), sessions.begin_with(insertion));
    assert!(second.await.is_err());
    first.rollback().await?;
    // On whatever connections there are.
    let (one, other) = (sessions.begin().await?, sessions.begin().await?);
    one.commit().await?;
    other.commit().await?;
    let mut session = sessions.begin().await?;
    let count = sqlx::query_scalar("select count(*) from parcels");
    let count: i64 = count.fetch_one(&mut *session).await?;
    assert_eq!(count, 0);
    drop((session, sessions));
    pool.close().await;
    Ok(())
}

#[sqlx::test]
async fn an_insertion_that_waits_for_others_in_vain_costs_no_other_connection(
    pool: PgPool,
) -> Result<()> {
    let sessions = Sessions::new(pool.clone());
    sqlx::query("create table parcels (number int primary key)")
        .execute(&pool)
        .await?;
    let (mut one, mut other) = (sessions.begin().await?, sessions.begin().await?);
    let kept = process(&mut one).await?;
    let soon = "set lock_timeout = '100ms'";
    sqlx::query(soon).execute(&mut *other).await?;
    one.commit().await?;
    other.commit().await?;
    let mut elsewhere = pool.begin().await?;
    let insertion = "insert into parcels values (1)";
    sqlx::query(insertion).execute(&mut *elsewhere).await?;
    let begun = sessions.begin_with(insertion).await;
    let error = begun.err().context("two rows of one key")?;
    let code = error.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("55P03"));
    let mut next = sessions.begin().await?;
    assert_eq!(process(&mut next).await?, kept);
    next.commit().await?;
    elsewhere.rollback().await?;
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
