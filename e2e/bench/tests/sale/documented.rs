//! What `docs/openapi/load.json` shows and allows is taken.

use anyhow::{Context, Result, ensure};
use runtime::testing::{Operation, Values};

use crate::NOWHERE;
use crate::support::Load;

#[tokio::test]
async fn the_example_of_every_post_is_accepted() -> Result<()> {
    let load = Load::new(NOWHERE, true);
    let operations = operations()?;
    let mut posts = operations.iter().filter(|one| one.method == "post");
    let post = posts.next().context("no post")?;
    let call = post.example(&Values::default())?;
    let (status, body) = load.send_request(call.request()?).await?;
    ensure!(status == 202, "{call:?}: {status} {body}");
    ensure!(posts.next().is_none(), "another post");
    Ok(())
}

#[tokio::test]
async fn whatever_the_schemas_allow_is_accepted_or_refused_for_what_no_schema_can_say() -> Result<()>
{
    let load = Load::new(NOWHERE, true);
    for operation in operations()? {
        for _ in 0..20 {
            let call = operation.generated(&Values::default())?;
            let (status, body) = load.send_request(call.request()?).await?;
            let is_promised = match (call.method.as_str(), status.as_u16()) {
                ("post", 202 | 409) => true,
                ("post", 422) => body["errors"][0]["message"]
                    .as_str()
                    .is_some_and(|message| {
                        message.contains("orders")
                            || message == "expected text without control characters"
                    }),
                (_, 200) => true,
                _ => false,
            };
            ensure!(is_promised, "{call:?}: {status} {body}");
        }
    }
    Ok(())
}

fn operations() -> Result<Vec<Operation>> {
    let document = include_str!("../../../../docs/openapi/load.json");
    Operation::all(&serde_json::from_str(document).context("no JSON")?)
}
