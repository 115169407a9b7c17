//! What `docs/openapi/inventory.json` shows and allows is taken.

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::to_bytes;
use axum::http::StatusCode;
use inventory::http::{Api, routes};
use messaging::testing;
use runtime::config::AdminArgs;
use runtime::health::Health;
use runtime::testing::{Call, Operation, Values};
use serde_json::Value;
use sqlx::PgPool;
use tower::ServiceExt;

const REQUESTS: usize = 200;

#[sqlx::test]
async fn the_example_of_every_post_is_accepted(pool: PgPool) -> Result<()> {
    let app = app(&pool).await?;
    let mut tried = 0;
    for operation in operations()? {
        if operation.method == "post" {
            let call = operation.example(&Values::default())?;
            let (status, body) = send(&app, &call).await?;
            assert!(status.is_success(), "{call:?}: {body}");
            tried += 1;
        }
    }
    assert_eq!(tried, 1);
    Ok(())
}

#[sqlx::test]
async fn whatever_the_schemas_allow_is_accepted_or_refused_for_what_no_schema_can_say(
    pool: PgPool,
) -> Result<()> {
    let app = app(&pool).await?;
    let values = Values::default().knowing("sku", &["PADDLE-CARBON", "GATE-WHEEL"]);
    for operation in operations()? {
        for _ in 0..REQUESTS {
            let call = operation.generated(&values)?;
            let (status, body) = send(&app, &call).await?;
            let is_reused = body["errors"][0]["message"] == "was used for another delivery";
            let is_promised = match status.as_u16() {
                200 | 404 => true,
                422 => is_reused,
                _ => false,
            };
            ensure!(is_promised, "{call:?}: {status} {body}");
        }
    }
    Ok(())
}

async fn app(pool: &PgPool) -> Result<Router> {
    let api = Api::new(
        pool,
        testing::bus("inventory", pool).await?,
        AdminArgs::default(),
    );
    let routes = routes(api);
    Ok(runtime::http::app(
        "inventory",
        routes,
        Health::default(),
        &[],
    ))
}

async fn send(app: &Router, call: &Call) -> Result<(StatusCode, Value)> {
    let response = app.clone().oneshot(call.request()?).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body)?))
}

fn operations() -> Result<Vec<Operation>> {
    let document = include_str!("../../../docs/openapi/inventory.json");
    Operation::all(&serde_json::from_str(document).context("no JSON")?)
}
