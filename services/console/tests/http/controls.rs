//! What may be asked of services, and where.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Answer, Service, eventually};

const CONTROLS: &str = "/api/console/controls";
const INVENTORY: &str = "/api/console/controls/inventory";

#[sqlx::test]
async fn what_is_wanted_is_shown_with_its_times_until_it_is_lifted(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let wanted = json!({"pause": true, "slow_ms": 200, "fail_percent": 5, "fail_kind": "permanent",
                        "refuse_email": true, "seconds": 90, "by": "Ada"});
    let before = Timestamp::now();
    let set = service.put(INVENTORY, &wanted).await?;
    assert_eq!(set.status, StatusCode::OK);
    let (since, until) = (time(&set.body["since"])?, time(&set.body["until"])?);
    assert_eq!(until.duration_since(since).as_secs(), 90);
    assert!(since.duration_since(before).as_secs().abs() < 10);
    for (field, value) in [
        ("service", json!("inventory")),
        ("pause", json!(true)),
        ("slow_ms", json!(200)),
        ("fail_percent", json!(5)),
        ("fail_kind", json!("permanent")),
        ("refuse_email", json!(true)),
        ("by", json!("Ada")),
    ] {
        assert_eq!(set.body[field], value, "{field}");
    }
    assert_eq!(listed(&service).await?, [set.body]);

    let lifted = service.delete(INVENTORY).await?;
    assert_eq!(
        (lifted.status, lifted.bytes.len()),
        (StatusCode::NO_CONTENT, 0)
    );
    assert_eq!(listed(&service).await?, [] as [Value; 0]);
    assert_eq!(
        service.delete(INVENTORY).await?.status,
        StatusCode::NO_CONTENT
    );
    Ok(())
}

#[sqlx::test]
async fn what_is_wanted_last_takes_the_place_of_what_was(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    service
        .put(
            INVENTORY,
            &json!({"pause": true, "seconds": 60, "by": "Ada"}),
        )
        .await?;
    service
        .put(INVENTORY, &json!({"slow_ms": 9, "seconds": 60, "by": "Bo"}))
        .await?;
    let [control] = &listed(&service).await?[..] else {
        anyhow::bail!("not one control");
    };
    assert_eq!(
        (&control["pause"], &control["slow_ms"]),
        (&json!(false), &json!(9))
    );
    assert_eq!(
        (&control["by"], &control["fail_kind"]),
        (&json!("Bo"), &json!("transient"))
    );
    Ok(())
}

#[sqlx::test]
async fn what_is_wanted_ends_by_itself(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    service
        .put(
            INVENTORY,
            &json!({"pause": true, "seconds": 1, "by": "Ada"}),
        )
        .await?;
    assert_eq!(listed(&service).await?.len(), 1);
    eventually("nothing is wanted", async || {
        Ok(listed(&service).await?.is_empty().then_some(()))
    })
    .await
}

#[sqlx::test]
async fn nothing_is_asked_of_services_where_orders_are_real(pool: PgPool) -> Result<()> {
    refuses_everything(&Service::start_as(pool, false, false), "SPILLWAY_DEMO").await
}

#[sqlx::test]
async fn a_console_that_only_looks_asks_nothing(pool: PgPool) -> Result<()> {
    refuses_everything(&Service::start_as(pool, true, true), "CONSOLE_READONLY").await
}

#[sqlx::test]
async fn a_service_that_nobody_knows_is_answered_with_404(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for name in ["console", "nobody", "Inventory", "%00", "%F0%9F%98%80"] {
        let path = format!("{CONTROLS}/{name}");
        let set = service
            .put(&path, &json!({"seconds": 60, "by": "Ada"}))
            .await?;
        assert_eq!(set.status, StatusCode::NOT_FOUND, "{name}");
        assert_eq!(
            service.delete(&path).await?.status,
            StatusCode::NOT_FOUND,
            "{name}"
        );
    }
    Ok(())
}

#[sqlx::test]
async fn a_value_that_is_out_of_range_is_refused_by_the_name_of_its_field(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let huge: Value = serde_json::from_str("99999999999999999999")?;
    for (field, value) in [
        ("slow_ms", json!(2001)),
        ("slow_ms", json!(-1)),
        ("slow_ms", huge),
        ("fail_percent", json!(101)),
        ("seconds", json!(0)),
        ("seconds", json!(3601)),
        ("by", json!("")),
        ("by", json!("  ")),
        ("by", json!("A\u{0}da")),
        ("by", json!("a".repeat(61))),
    ] {
        let answer = with(&service, field, &value).await?;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{field} = {value}"
        );
        assert_eq!(answer.fields(), [field], "{field} = {value}");
    }
    let many = json!({"slow_ms": 2001, "fail_percent": 101, "seconds": 0, "by": ""});
    let answer = service.put(INVENTORY, &many).await?;
    for field in ["slow_ms", "fail_percent", "seconds", "by"] {
        assert!(answer.fields().contains(&field), "{field}");
    }
    assert_eq!(listed(&service).await?, [] as [Value; 0]);
    Ok(())
}

#[sqlx::test]
async fn what_has_another_shape_is_malformed(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for (field, value) in [
        ("pause", json!("yes")),
        ("slow_ms", json!(1.5)),
        ("fail_kind", json!("sometimes")),
        ("seconds", Value::Null),
        ("by", json!(7)),
        ("until", json!("tomorrow")),
    ] {
        let answer = with(&service, field, &value).await?;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field} = {value}");
        assert_eq!(answer.fields(), [field], "{field} = {value}");
    }
    Ok(())
}

async fn refuses_everything(service: &Service, why: &str) -> Result<()> {
    let set = service
        .put(INVENTORY, &json!({"seconds": 60, "by": "Ada"}))
        .await?;
    for answer in [set, service.delete(INVENTORY).await?] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(why), "{detail}");
    }
    assert_eq!(listed(service).await?, [] as [Value; 0]);
    Ok(())
}

async fn with(service: &Service, field: &str, value: &Value) -> Result<Answer> {
    let mut wanted = json!({"seconds": 60, "by": "Ada"});
    wanted[field] = value.clone();
    service.put(INVENTORY, &wanted).await
}

async fn listed(service: &Service) -> Result<Vec<Value>> {
    let answer = service.get(CONTROLS).await?;
    Ok(answer.body["controls"]
        .as_array()
        .context("no list")?
        .clone())
}

fn time(value: &Value) -> Result<Timestamp> {
    Ok(value.as_str().context("no time")?.parse()?)
}
