//! Paying and cancelling.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::support::Service;

#[sqlx::test]
async fn paying_and_cancelling_answer_the_order_and_repeating_changes_nothing(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let (paid, cancelled) = (service.confirmed().await?, service.confirmed().await?);
    for (id, action, status) in [
        (paid, "payment", "paid"),
        (cancelled, "cancellation", "cancelled"),
    ] {
        let first = service.post(&format!("/api/orders/{id}/{action}")).await?;
        assert_eq!(
            (first.status, &first.body["status"]),
            (StatusCode::OK, &json!(status))
        );
        let found = service.get(&format!("/api/orders/{id}")).await?;
        assert_eq!(found.body, first.body);
        let published = service.published(id).await?;
        let again = service.post(&format!("/api/orders/{id}/{action}")).await?;
        assert_eq!(
            (again.status, &again.body["version"]),
            (StatusCode::OK, &json!(3))
        );
        assert_eq!(service.published(id).await?, published);
    }
    Ok(())
}

#[sqlx::test]
async fn a_conflict_names_the_status_of_the_order(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let pending = service.placed().await?;
    let paid = service.confirmed().await?;
    service.post(&format!("/api/orders/{paid}/payment")).await?;
    for (id, action, status) in [
        (pending, "payment", "pending"),
        (paid, "cancellation", "paid"),
    ] {
        let answer = service.post(&format!("/api/orders/{id}/{action}")).await?;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        let detail = answer.body["detail"].as_str().context("no detail")?;
        assert!(detail.contains(status), "{detail}");
    }
    Ok(())
}

#[sqlx::test]
async fn paying_and_cancelling_at_once_has_one_winner(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    for _ in 0..20 {
        let id = service.confirmed().await?;
        let (payment, cancellation) = (
            format!("/api/orders/{id}/payment"),
            format!("/api/orders/{id}/cancellation"),
        );
        let (paid, cancelled) = tokio::join!(service.post(&payment), service.post(&cancellation));
        let mut statuses = [paid?.status, cancelled?.status];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
        assert_eq!(service.order(id).await?.version, 3);
        assert_eq!(service.published(id).await?.len(), 6);
    }
    Ok(())
}
