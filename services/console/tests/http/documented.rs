//! What `docs/openapi/console.json` shows and allows is taken.

use anyhow::{Context, Result, ensure};
use console::store;
use runtime::testing::{Operation, Values};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::letters::{self, kept, letter};
use crate::support::{Answer, Service, samples::order};

const REQUESTS: usize = 200;

/// What a request may break although its schema allows it.
const OF_NO_SCHEMA: [&str; 7] = [
    "expected text without control characters",
    "say how many letters a filter shall match",
    "expected either `letters`, or `filter` with `expected`",
    "no letter matches",
    "there is no such letter",
    "it is being replayed",
    "the id of a message cannot be changed",
];

#[sqlx::test]
async fn the_example_of_every_operation_is_accepted(pool: PgPool) -> Result<()> {
    let (service, known) = start(pool).await?;
    let values = known.values();
    let mut tried = 0;
    for operation in operations()? {
        // No broker has told of any queue, and nobody knows the letter of the example.
        let of_nothing = [
            ("get", "/api/console/history"),
            ("post", "/api/console/replays"),
        ];
        if of_nothing.contains(&(&operation.method, &operation.path)) {
            continue;
        }
        let call = operation.example(&values)?;
        let answer = service.send(call.request()?).await?;
        assert!(answer.status.is_success(), "{call:?}: {}", answer.body);
        tried += 1;
    }
    assert_eq!(tried, 20);
    Ok(())
}

#[sqlx::test]
async fn whatever_the_schemas_allow_is_accepted_or_refused_for_what_no_schema_can_say(
    pool: PgPool,
) -> Result<()> {
    let (service, known) = start(pool).await?;
    let values = known
        .values()
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
        200 | 201 | 204 | 404 | 409 => return Ok(()),
        400 => &["no address contains NUL", "nothing here contains NUL"][..],
        422 => &OF_NO_SCHEMA,
        _ => anyhow::bail!("{} {}", answer.status, answer.body),
    };
    let errors = answer.body["errors"].as_array().context("no errors")?;
    let is_expected = |error: &Value| {
        let (field, message) = (&error["field"], error["message"].as_str());
        // What the consumer of a letter would not take is told by its own schema.
        *field == "body"
            || *field == "message_type"
            || message.is_some_and(|message| expected.contains(&message))
    };
    ensure!(
        !errors.is_empty() && errors.iter().all(is_expected),
        "{}",
        answer.body
    );
    Ok(())
}

/// What the service knows.
struct Known {
    order: String,
    letter: String,
    job: String,
}

impl Known {
    fn values(&self) -> Values {
        Values::default()
            .knowing("id", &[&self.order])
            .knowing("letter", &[&self.letter])
            .knowing("job", &[&self.job])
    }
}

/// A service that knows one order, two letters and the job of one of them, and is about to stop: its event streams
/// end at once.
async fn start(pool: PgPool) -> Result<(Service, Known)> {
    let service = Service::start(pool);
    service.token.cancel();
    let order = order();
    store::save_orders(
        &mut *service.pool.acquire().await?,
        std::slice::from_ref(&order),
    )
    .await?;
    let letter = kept(&service, &letter(order.id)).await?;
    let replayed = kept(&service, &letters::letter(order.id)).await?;
    let job = service
        .post(
            "/api/console/replays",
            &json!({"by": "Ada", "letters": [replayed]}),
        )
        .await?;
    let known = Known {
        order: order.id.to_string(),
        letter: letter.to_string(),
        job: job.body["id"].as_str().context("no job")?.to_owned(),
    };
    Ok((service, known))
}

fn operations() -> Result<Vec<Operation>> {
    let document: Value =
        serde_json::from_str(include_str!("../../../../docs/openapi/console.json"))?;
    Operation::all(&document)
}
