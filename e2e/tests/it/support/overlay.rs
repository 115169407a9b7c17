//! Services with other settings than usual, until the end of the test.

use anyhow::{Context, Result};
use harness::{Stack, setting};
use serde_json::{Map, Value, json};

/// Names and values of environment variables.
type Settings<'s> = &'s [(&'s str, &'s str)];

/// Starts new containers of these services with further settings, and waits until all answer.
pub(crate) async fn up_with(stack: &Stack, services: &[(&str, Settings<'_>)]) -> Result<()> {
    let mut overlay = Map::new();
    for (service, settings) in services {
        let values = settings.iter();
        let values = values.map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let environment = Value::Object(values.collect());
        overlay.insert((*service).to_owned(), json!({ "environment": environment }));
    }
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/overlay.yml");
    tokio::fs::write(file, json!({ "services": overlay }).to_string()).await?;
    let files = format!("{}:{file}", setting("COMPOSE_FILE")?);
    let mut up = vec!["up", "--detach", "--no-build"];
    up.extend(services.iter().map(|(service, _)| service));
    let variables = [("COMPOSE_FILE", files.as_str())];
    let started = stack.compose.run_with(&variables, &up).await;
    started.with_context(|| format!("{services:?}"))?;
    stack.is_ready().await
}
