//! What `docs/openapi/console.json` shows and allows is taken.

use anyhow::{Context, Result, ensure};
use console::store;
use runtime::testing::{Operation, Values};
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{Answer, Service, samples::order};

const REQUESTS: usize = 200;

#[sqlx::test]
async fn the_example_of_every_operation_is_accepted(pool: PgPool) -> Result<()> {
    let (service, id) = start(pool).await?;
    let values = Values::default().knowing("id", &[&id]);
    let mut tried = 0;
    for operation in operations()? {
        // No broker has told of any queue.
        if operation.path == "/api/console/history" {
            continue;
        }
        let call = operation.example(&values)?;
        let answer = service.send(call.request()?).await?;
        assert!(answer.status.is_success(), "{call:?}: {}", answer.body);
        tried += 1;
    }
    assert_eq!(tried, 8);
    Ok(())
}

#[sqlx::test]
async fn whatever_the_schemas_allow_is_accepted_or_refused_for_what_no_schema_can_say(
    pool: PgPool,
) -> Result<()> {
    let (service, id) = start(pool).await?;
    let values = Values::default()
        .knowing("id", &[&id])
        .knowing("service", &["order", "inventory", "notification"])
        .knowing("email", &["ada", "ada@example.org"]);
    let mut accepted = 0;
    for operation in operations()? {
        for _ in 0..REQUESTS {
            let call = operation.generated(&values)?;
            let answer = service.send(call.request()?).await?;
            check(&answer).with_context(|| format!("{call:?}"))?;
            accepted += usize::from(operation.method == "put" && answer.status == 200);
        }
    }
    ensure!(accepted > 0, "nothing was asked of any service");
    Ok(())
}

fn check(answer: &Answer) -> Result<()> {
    let expected = match answer.status.as_u16() {
        200 | 204 | 404 => return Ok(()),
        400 => "no address contains NUL",
        422 => "expected text without control characters",
        _ => anyhow::bail!("{} {}", answer.status, answer.body),
    };
    let errors = answer.body["errors"].as_array().context("no errors")?;
    ensure!(
        errors.len() == 1 && errors[0]["message"] == expected,
        "{}",
        answer.body
    );
    Ok(())
}

/// A service that knows one order, and is about to stop: its event streams end at once.
async fn start(pool: PgPool) -> Result<(Service, String)> {
    let service = Service::start(pool);
    service.token.cancel();
    let order = order();
    store::save_orders(
        &mut *service.pool.acquire().await?,
        std::slice::from_ref(&order),
    )
    .await?;
    Ok((service, order.id.to_string()))
}

fn operations() -> Result<Vec<Operation>> {
    let document: Value =
        serde_json::from_str(include_str!("../../../../docs/openapi/console.json"))?;
    Operation::all(&document)
}
