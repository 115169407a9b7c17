//! The last minutes of a queue, before any broker has told of one.

use anyhow::Result;
use axum::http::StatusCode;
use sqlx::PgPool;

use crate::support::Service;

#[sqlx::test]
async fn a_queue_that_nobody_has_told_of_is_answered_with_404(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for query in ["", "?queue=nobody.knows&seconds=60", "?queue=%00"] {
        let answer = service.get(&format!("/api/console/history{query}")).await?;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{query}");
    }
    Ok(())
}

#[sqlx::test]
async fn a_window_that_is_out_of_range_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for (seconds, expected) in [
        ("0", StatusCode::UNPROCESSABLE_ENTITY),
        ("3601", StatusCode::UNPROCESSABLE_ENTITY),
        ("-1", StatusCode::BAD_REQUEST),
        ("1.5", StatusCode::BAD_REQUEST),
        ("", StatusCode::BAD_REQUEST),
    ] {
        let answer = service
            .get(&format!("/api/console/history?seconds={seconds}"))
            .await?;
        assert_eq!(answer.status, expected, "{seconds}");
        assert_eq!(answer.fields(), ["seconds"], "{seconds}");
    }
    Ok(())
}
