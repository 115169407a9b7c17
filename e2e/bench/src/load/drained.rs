use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Gateway, eventually, http_client};

/// Nobody waits longer than this for a benchmark.
const LIMIT: Duration = Duration::from_secs(600);

/// Waits until no order is pending any more.
///
/// # Errors
///
/// When some still are after ten minutes.
pub async fn drained() -> Result<()> {
    let gateway = Gateway::new(http_client(Duration::from_secs(10))?)?;
    eventually("no order is pending", LIMIT, async || {
        let answer = gateway.get("/api/orders?status=pending&limit=1").await?;
        ensure!(answer.status == 200, "{answer:?}");
        let is_empty = answer.body["orders"].as_array().map(Vec::is_empty);
        Ok((is_empty == Some(true)).then_some(()))
    })
    .await
}
