//! A console that only looks.

use anyhow::Result;
use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Service;
use crate::support::letters::{all, kept, letter};

#[sqlx::test]
async fn nothing_is_done_where_nothing_may_be_changed(pool: PgPool) -> Result<()> {
    let service = Service::start_as(pool, true, true);
    let id = kept(&service, &letter(Uuid::now_v7())).await?;
    let edit = json!({"by": "Ada", "base": 0, "message_type": "a", "body": ""});
    let (set, job) = (
        json!({"by": "Ada", "reason": "a test", "letters": [id]}),
        Uuid::now_v7(),
    );
    let before = format!("{:?}", all(&service).await?);
    for answer in [
        service
            .put(&format!("/api/console/letters/{id}/draft"), &edit)
            .await?,
        service
            .post(&format!("/api/console/letters/{id}/revisions"), &edit)
            .await?,
        service.post("/api/console/letters/discard", &set).await?,
        service
            .post(
                "/api/console/letters/restore",
                &json!({"by": "Ada", "letters": [id]}),
            )
            .await?,
        service
            .post(
                "/api/console/replays",
                &json!({"by": "Ada", "letters": [id]}),
            )
            .await?,
        service
            .patch(
                &format!("/api/console/replays/{job}"),
                &json!({"by": "Ada"}),
            )
            .await?,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("CONSOLE_READONLY"), "{detail}");
    }
    assert_eq!(format!("{:?}", all(&service).await?), before);
    Ok(())
}
