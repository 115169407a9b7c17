//! What an error of the database is answered with. Needs a PostgreSQL at `TEST_DATABASE_URL`.

use anyhow::{Context, Result, bail};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use runtime::http::Problem;
use sqlx::PgPool;

#[tokio::test]
async fn a_statement_that_takes_too_long_is_answered_with_503() -> Result<()> {
    let mut tx = pool().await?.begin().await?;
    sqlx::query("SET LOCAL statement_timeout = '20ms'")
        .execute(&mut *tx)
        .await?;
    let Err(error) = sqlx::query("SELECT pg_sleep(60)").execute(&mut *tx).await else {
        bail!("it was not stopped")
    };
    assert_eq!(
        Problem::from(error).status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_not_as_it_should_be_is_answered_with_503() -> Result<()> {
    for statement in [
        "SET TRANSACTION READ ONLY; CREATE TABLE read_only ()",
        "SELECT * FROM missing_table",
        "SELECT missing_function()",
        "SELECT missing_column FROM pg_class",
        "SET LOCAL ROLE pg_monitor; SELECT * FROM pg_authid",
    ] {
        let mut tx = pool().await?.begin().await?;
        let Err(error) = sqlx::raw_sql(statement).execute(&mut *tx).await else {
            bail!("it worked: {statement}")
        };
        let response = Problem::from(error).into_response();
        assert_eq!(
            response.status(),
            StatusCode::SERVICE_UNAVAILABLE,
            "{statement}"
        );
        assert!(
            response.headers().contains_key("retry-after"),
            "{statement}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_text_that_cannot_be_stored_is_the_fault_of_the_client() -> Result<()> {
    let Err(error) = sqlx::query("SELECT $1::text")
        .bind("a\0b")
        .execute(&pool().await?)
        .await
    else {
        bail!("it was stored")
    };
    assert_eq!(Problem::from(error).status(), StatusCode::BAD_REQUEST);
    Ok(())
}

async fn pool() -> Result<PgPool> {
    let url = std::env::var("TEST_DATABASE_URL")
        .context("TEST_DATABASE_URL must name a PostgreSQL server to test with")?;
    Ok(PgPool::connect(&url).await?)
}
