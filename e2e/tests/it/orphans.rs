//! What a health check leaves behind is nothing to PostgreSQL.

use anyhow::{Result, ensure};
use harness::{SOON, Stack, eventually};

use crate::support::database::database;

/// Leaves a process behind, says which, and ends, as a health check does that is killed because it takes too long. The
/// other one ends after that, as `psql` does when it finds no server.
const LEAVE_ONE_BEHIND: &str =
    "{ while kill -0 $$; do sleep 0.1; done; exit 2; } >/dev/null 2>&1 & echo $!";

#[tokio::test]
async fn a_health_check_that_took_too_long_throws_nobody_out_of_the_database() -> Result<()> {
    let stack = Stack::shared().await?;
    let mut connection = database("order").await?;
    let inside = ["exec", "-T", "postgres"];
    let leave = [&inside[..], &["bash", "-c", LEAVE_ONE_BEHIND]].concat();
    let left = stack.compose.run(&leave).await?;
    let left = left.trim();

    let process = format!("/proc/{left}");
    let is_over = [&inside[..], &["test", "!", "-e", &process]].concat();
    eventually("the process is over", SOON, async || {
        Ok(stack.compose.run(&is_over).await.ok().map(drop))
    })
    .await?;

    // A server that takes it for one of its own believes that it has crashed, and closes all connections.
    let log = stack.compose.run(&["logs", "postgres"]).await?;
    let blamed = format!("child process (PID {left}) exited with exit code 2");
    ensure!(!log.contains(&blamed), "PostgreSQL inherited {left}");
    sqlx::query("select 1").execute(&mut connection).await?;
    Ok(())
}
