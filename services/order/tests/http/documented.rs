//! What `docs/openapi/order.json` shows and allows is taken.

use anyhow::{Context, Result, ensure};
use axum::http::StatusCode;
use runtime::testing::{Operation, Values};
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{Answer, POT, Service, TEA, list, listing};

const REQUESTS: usize = 200;

#[sqlx::test]
async fn the_example_of_every_post_is_accepted(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    list(&service.pool, &[listing("PADDLE-CARBON", 12_900)]).await?;
    let mut tried = 0;
    for operation in operations()? {
        if operation.method != "post" {
            continue;
        }
        let id = service.confirmed().await?.to_string();
        let call = operation.example(&Values::default().knowing("id", &[&id]))?;
        let answer = service.send(call.request()?).await?;
        assert!(answer.status.is_success(), "{call:?}: {}", answer.body);
        tried += 1;
    }
    assert_eq!(tried, 3);
    Ok(())
}

#[sqlx::test]
async fn whatever_the_schemas_allow_is_accepted_or_refused_for_what_no_schema_can_say(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.confirmed().await?.to_string();
    let values = Values::default()
        .knowing("id", &[&id])
        .knowing("sku", &[TEA, POT]);
    let mut accepted = 0;
    for operation in operations()? {
        for _ in 0..REQUESTS {
            let call = operation.generated(&values)?;
            let answer = service.send(call.request()?).await?;
            check(&answer).with_context(|| format!("{call:?}"))?;
            accepted += usize::from(answer.status == StatusCode::ACCEPTED);
        }
    }
    ensure!(accepted > 0, "no order was accepted");
    Ok(())
}

fn check(answer: &Answer) -> Result<()> {
    const REASONS: [&str; 4] = [
        "nothing is sold under the SKU",
        "is in an earlier line already",
        "was used for another request",
        "the domain is this machine",
    ];
    match answer.status.as_u16() {
        200 | 202 | 404 | 409 => Ok(()),
        422 => {
            let errors = answer.body["errors"].as_array();
            for error in errors.context("no errors")? {
                let message = error["message"].as_str().unwrap_or_default();
                let is_listed = REASONS.iter().any(|reason| message.contains(reason));
                ensure!(is_listed, "{error}");
            }
            Ok(())
        }
        _ => anyhow::bail!("{} {}", answer.status, answer.body),
    }
}

fn operations() -> Result<Vec<Operation>> {
    let document: Value =
        serde_json::from_str(include_str!("../../../../docs/openapi/order.json"))?;
    Operation::all(&document)
}
