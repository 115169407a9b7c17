//! Flash sales as their API shows them: the real router, a shop in the same process.

mod documented;
mod support;

use std::time::Duration;

use anyhow::Result;
use axum::http::StatusCode;
use harness::{SOON, eventually};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::timeout;

use support::Load;

const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn before_the_first_sale_there_is_nothing_to_tell() -> Result<()> {
    let load = Load::new(NOWHERE, true);
    let nothing = json!({
        "demo": true, "running": false, "rate_per_s": 0, "seconds": 0, "started_at": null, "ends_at": null,
        "placed": 0, "refused": 0, "failed": 0, "by": null,
    });
    assert_eq!(load.get().await?, (StatusCode::OK, nothing.clone()));
    assert_eq!(load.stop().await?, (StatusCode::OK, nothing));
    Ok(())
}

#[tokio::test]
async fn a_sale_places_its_orders_ends_by_itself_and_is_remembered() -> Result<()> {
    let load = Load::at_shop(&[202]).await?;
    let (status, sale) = load.start(200, 1).await?;
    assert_eq!(
        (status, &sale["running"]),
        (StatusCode::ACCEPTED, &json!(true))
    );
    let took = time(&sale, "ends_at")?.duration_since(time(&sale, "started_at")?);
    assert_eq!(took.as_secs(), 1);

    let ended = load.ended().await?;
    let figures = json!({
        "demo": true, "running": false, "rate_per_s": 200, "seconds": 1, "by": "Ada",
        "started_at": sale["started_at"], "ends_at": sale["ends_at"],
        "placed": 200, "refused": 0, "failed": 0,
    });
    assert_eq!(ended, figures);
    Ok(())
}

#[tokio::test]
async fn orders_that_are_refused_and_orders_that_fail_are_counted_apart() -> Result<()> {
    let load = Load::at_shop(&[202, 202, 503, 429, 500]).await?;
    load.start(500, 1).await?;
    let sale = load.ended().await?;
    assert_eq!(counts(&sale), [200, 200, 100]);
    Ok(())
}

#[tokio::test]
async fn orders_that_reach_nobody_have_failed() -> Result<()> {
    let load = Load::new(NOWHERE, true);
    load.start(20, 1).await?;
    assert_eq!(counts(&load.ended().await?), [0, 0, 20]);
    Ok(())
}

#[tokio::test]
async fn there_is_one_sale_at_a_time() -> Result<()> {
    let load = Load::at_shop(&[202]).await?;
    load.start(10, 600).await?;
    assert_eq!(load.start(10, 600).await?.0, StatusCode::CONFLICT);
    load.stop().await?;
    assert_eq!(load.start(10, 600).await?.0, StatusCode::ACCEPTED);
    Ok(())
}

#[tokio::test]
async fn a_sale_that_is_stopped_ends_within_a_second_even_when_nobody_answers() -> Result<()> {
    let load = Load::at_shop(&[]).await?;
    let (_, begun) = load.start(2_000, 50).await?;
    let (status, sale) = timeout(Duration::from_secs(1), load.stop()).await??;
    assert_eq!((status, &sale["running"]), (StatusCode::OK, &json!(false)));
    assert!(time(&sale, "ends_at")? < time(&begun, "ends_at")?, "{sale}");
    assert_eq!(load.get().await?.1, sale);
    Ok(())
}

#[tokio::test]
async fn a_sale_ends_with_its_process() -> Result<()> {
    let load = Load::at_shop(&[202]).await?;
    load.start(100, 600).await?;
    eventually("an order is placed", SOON, async || {
        let (_, sale) = load.get().await?;
        Ok((sale["placed"] != 0).then_some(()))
    })
    .await?;
    load.life.cancel();
    load.ended().await.map(drop)
}

#[tokio::test]
async fn nothing_is_sold_where_something_is_real() -> Result<()> {
    let load = Load::new(NOWHERE, false);
    assert_eq!(load.start(10, 1).await?.0, StatusCode::FORBIDDEN);
    assert_eq!(load.stop().await?.0, StatusCode::FORBIDDEN);
    let (status, sale) = load.get().await?;
    assert_eq!((status, &sale["demo"]), (StatusCode::OK, &json!(false)));
    Ok(())
}

#[tokio::test]
async fn a_wish_out_of_bounds_is_answered_with_the_field_that_is_wrong() -> Result<()> {
    let load = Load::new(NOWHERE, true);
    let wish = json!({"rate_per_s": 10, "seconds": 1, "by": "Ada"});
    for (field, value, expected) in [
        ("rate_per_s", json!(0), 422),
        ("rate_per_s", json!(2_001), 422),
        ("rate_per_s", json!(1.5), 400),
        ("seconds", json!(0), 422),
        ("seconds", json!(601), 422),
        ("seconds", json!("long"), 400),
        ("by", json!(""), 422),
        ("by", json!("x".repeat(61)), 422),
        ("by", Value::Null, 400),
    ] {
        let mut wish = wish.clone();
        wish[field] = value;
        let (status, problem) = load.post(&wish).await?;
        assert_eq!(status, expected, "{wish}");
        assert_eq!(problem["errors"][0]["field"], field, "{wish}");
    }
    let (status, problem) = load.start(2_000, 51).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"][0]["field"], "seconds");
    Ok(())
}

fn counts(sale: &Value) -> [u64; 3] {
    ["placed", "refused", "failed"].map(|count| sale[count].as_u64().unwrap_or(u64::MAX))
}

fn time(sale: &Value, field: &str) -> Result<Timestamp> {
    Ok(sale[field].as_str().unwrap_or_default().parse()?)
}
