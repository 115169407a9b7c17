//! Frames, for whoever looks.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::time::timeout;

use crate::support::Service;

const PATIENCE: Duration = Duration::from_secs(20);

#[sqlx::test]
async fn frames_come_again_and_again_until_the_process_stops(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let frames = tokio::spawn(service.live.clone().run(service.token.clone()));
    let mut stream = listen(&service).await?;
    let mut other = listen(&service).await?;
    let first = next(&mut stream).await?.context("no frame")?;
    let second = next(&mut stream).await?.context("no second frame")?;
    assert!(first["at"].as_str() < second["at"].as_str());
    assert!(next(&mut other).await?.is_some());

    service.token.cancel();
    for stream in [&mut stream, &mut other] {
        while next(stream).await?.is_some() {}
    }
    frames.await??;
    Ok(())
}

/// So that what has happened is read for them, whoever is busy.
#[sqlx::test]
async fn whoever_asks_for_what_comes_from_topics_watches(pool: PgPool) -> Result<()> {
    for path in [
        "frame",
        "orders",
        "orders/019ac1d2-7c8e-7000-8000-000000000001",
        "stock",
        "letters",
        "letters/019ac1d2-7c8e-7000-8000-000000000001",
    ] {
        let service = Service::start(pool.clone());
        assert!(!service.live.statistics.known().is_watched(), "{path}");
        service.get(&format!("/api/console/{path}")).await?;
        assert!(service.live.statistics.known().is_watched(), "{path}");
    }
    Ok(())
}

#[sqlx::test]
async fn whoever_asks_for_a_frame_watches_before_there_is_one(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    assert!(service.live.frame().now_or_never().is_none());
    assert!(service.live.statistics.known().is_watched());
    Ok(())
}

#[sqlx::test]
async fn what_is_unknown_is_null_and_nothing_is_made_up(pool: PgPool) -> Result<()> {
    let frame = Service::start(pool).get("/api/console/frame").await?.body;
    let unknown = json!({"up": null, "since": null, "error": null, "at": null});
    assert_eq!(
        frame["brokers"],
        json!({"rabbitmq": unknown, "kafka": unknown})
    );
    assert_eq!(
        frame["services"][1],
        json!({"name": "inventory", "instances": null})
    );
    for list in ["sentences", "queues", "topics", "controls"] {
        assert_eq!(frame[list], json!([]), "{list}");
    }
    let peak = &frame["peak"];
    for number in [
        "arrived",
        "departed",
        "in_per_s",
        "out_per_s",
        "depth",
        "age_s",
        "instances",
    ] {
        assert_eq!(peak[number], Value::Null, "{number}");
    }
    assert_eq!(
        peak["forecast"],
        json!({"kind": "unknown", "empty_at": null, "per_s": null})
    );
    // The database was asked.
    assert_eq!(frame["orders"]["pending"], 0);
    assert_eq!(
        frame["changes"],
        json!({"orders": 0, "stock": 0, "letters": 0})
    );
    Ok(())
}

#[sqlx::test]
async fn numbers_of_a_database_that_is_away_are_unknown(pool: PgPool) -> Result<()> {
    pool.close().await;
    let answer = Service::start(pool).get("/api/console/frame").await?;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["orders"]["pending"], Value::Null);
    assert_eq!(answer.body["orders"]["statuses"], Value::Null);
    assert_eq!(
        answer.body["changes"],
        json!({"orders": null, "stock": null, "letters": null})
    );
    Ok(())
}

async fn listen(service: &Service) -> Result<BodyDataStream> {
    let request = Request::get("/api/console/stream").body(Body::empty())?;
    let response = service.open(request).await?;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    Ok(response.into_body().into_data_stream())
}

/// The next frame, or none at the end.
async fn next(stream: &mut BodyDataStream) -> Result<Option<Value>> {
    let Some(event) = timeout(PATIENCE, stream.next()).await? else {
        return Ok(None);
    };
    let event = String::from_utf8(event?.to_vec())?;
    let (name, data) = event.split_once('\n').context("one line")?;
    ensure!(name == "event: frame", "{event}");
    let data = data.strip_prefix("data: ").context("no data")?;
    Ok(Some(serde_json::from_str(data)?))
}
