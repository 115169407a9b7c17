//! A program, run as a reader runs it.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use harness::{http_client, program, setting};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::LIMIT;

/// Where programs are told that the brokers are.
pub(crate) struct Brokers {
    pub(crate) amqp_url: String,
    pub(crate) kafka_brokers: String,
}

pub(crate) struct Ended {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Brokers {
    pub(crate) fn running() -> Result<Self> {
        Ok(Self {
            amqp_url: format!("amqp://guest:guest@localhost:{}/", setting("AMQP_PORT")?),
            kafka_brokers: setting("KAFKA_BROKERS")?,
        })
    }

    pub(crate) async fn run(&self, name: &str, arguments: &[&str]) -> Result<Ended> {
        let running = self.start(name, arguments)?;
        let output = timeout(LIMIT, running.wait_with_output()).await;
        let output = output.with_context(|| format!("{name} does not end"))??;
        Ok(Ended {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    pub(crate) fn start(&self, name: &str, arguments: &[&str]) -> Result<Child> {
        let mut command = Command::new(program(&format!("examples/{name}"))?);
        command
            .args(arguments)
            .env("AMQP_URL", &self.amqp_url)
            .env("KAFKA_BROKERS", &self.kafka_brokers)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(command.spawn()?)
    }

    pub(crate) async fn forget_hello(&self) -> Result<()> {
        let answer = management()
            .await?
            .delete(hello()?)
            .basic_auth("guest", Some("guest"))
            .send();
        let status = answer.await?.status();
        ensure!(status.is_success() || status == 404, "{status}");
        Ok(())
    }

    /// A transient classic queue.
    pub(crate) async fn declare_hello_as_for_rabbitmq_3(&self) -> Result<()> {
        let arguments = serde_json::json!({"x-queue-type": "classic"});
        let queue = serde_json::json!({"durable": false, "arguments": arguments});
        let request = management().await?.put(hello()?).json(&queue);
        let answer = request.basic_auth("guest", Some("guest")).send().await?;
        Ok(answer.error_for_status().map(drop)?)
    }
}

async fn management() -> Result<reqwest::Client> {
    Ok(http_client(LIMIT)?)
}

fn hello() -> Result<String> {
    Ok(format!(
        "{}/api/queues/%2F/hello",
        setting("RABBITMQ_API_URL")?
    ))
}
