//! Required checks decide about readiness, informational ones are only shown.
#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use std::{future::pending, time::Instant};

use anyhow::anyhow;
use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use runtime::{health::Health, http};
use serde_json::Value;
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

async fn ready(health: Health) -> (StatusCode, Value) {
    let app = http::app("tested", OpenApiRouter::new(), health, &[]);
    let response = app
        .oneshot(Request::get("/health/ready").body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status();
    (
        status,
        serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap(),
    )
}

#[tokio::test]
async fn a_process_without_its_brokers_is_ready_and_says_so() {
    let health = Health::default();
    health.required("database", || async { Ok(()) });
    health.informational("rabbitmq", || async { Err(anyhow!("connection refused")) });
    let (status, report) = ready(health).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(report["ready"], true);
    assert_eq!(report["checks"][0]["up"], true);
    assert_eq!(report["checks"][1]["name"], "rabbitmq");
    assert_eq!(report["checks"][1]["error"], "connection refused");
}

#[tokio::test]
async fn a_process_without_its_database_is_not_ready() {
    let health = Health::default();
    health.required("database", || async { Err(anyhow!("connection refused")) });
    let (status, report) = ready(health).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(report["ready"], false);
}

#[tokio::test]
async fn a_check_that_hangs_has_failed_after_a_second_and_all_run_at_once() {
    let health = Health::default();
    health.required("one", pending);
    health.required("two", pending);
    let started = Instant::now();
    let report = health.report().await;
    assert!(!report.ready);
    assert!(started.elapsed() < 2 * runtime::health::CHECK_TIMEOUT);
}

#[tokio::test]
async fn a_living_process_says_so_whatever_its_checks_say() {
    let health = Health::default();
    health.required("database", pending);
    let app = http::app("tested", OpenApiRouter::new(), health, &[]);
    let started = Instant::now();
    let response = app
        .oneshot(Request::get("/health/live").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(started.elapsed() < runtime::health::CHECK_TIMEOUT);
}
