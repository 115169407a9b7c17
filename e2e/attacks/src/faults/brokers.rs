//! A RabbitMQ that takes no more: from everybody, or for one queue.

use std::time::Duration;

use anyhow::{Context, Result};
use contracts::topology::{NOTIFICATION_EMAIL, PAYMENT_DEADLINES};
use harness::{Compose, eventually};
use serde_json::{Value, json};

use reqwest::Method;

use crate::{Alarm, Arena};

/// Policies of this prefix replace usual ones for a while.
const FULL: &str = "chaos-full-";
/// And this one, so that whatever else is full, and healed, has nothing to do with it.
const FULL_OF_EMAILS: &str = "chaos-emails";
/// The policy of the services' queues, and that of the queues in which messages wait; what else they say
/// stays in force.
const USUAL: [&str; 2] = ["service-queues", "waiting-queues"];
/// The broker applies a policy to a queue a little later, and its API may be about to start.
pub(super) const SOON: Duration = Duration::from_secs(60);
/// How often a service says of an address that it refuses messages.
const LINE: Duration = Duration::from_secs(60);

impl Arena {
    /// Of several policies only one counts, so these repeat all that the usual ones say.
    ///
    /// What has a consumer is emptied as fast as it fills, unless something else is wrong as well. So the
    /// queue in which payment deadlines wait, and which nobody empties, is limited together with it.
    pub(super) async fn fill(&self, queue: &str, limit: u32) -> Result<()> {
        let full = [
            queue.to_owned(),
            format!("{PAYMENT_DEADLINES}\\.delay\\..*"),
        ];
        for (usual, queue) in USUAL.into_iter().zip(full) {
            let name = format!("{FULL}{usual}");
            self.limit(&name, 10, usual, &queue, limit).await?;
        }
        Ok(())
    }

    /// The queue of e-mails, for as long as nobody takes any.
    pub(super) async fn fill_with_emails(&self, limit: u32) -> Result<()> {
        let queue = NOTIFICATION_EMAIL.replace('.', "\\.");
        self.limit(FULL_OF_EMAILS, 11, USUAL[0], &queue, limit)
            .await
    }

    pub(crate) async fn empty_of_emails(&self) -> Result<()> {
        self.delete_policies(FULL_OF_EMAILS).await
    }

    /// A policy in the place of a usual one, for queues of this pattern.
    async fn limit(
        &self,
        name: &str,
        priority: u8,
        usual: &str,
        queue: &str,
        limit: u32,
    ) -> Result<()> {
        eventually("the policy of a full queue", SOON, async || {
            let mut policy = self.policy(Method::GET, usual, None).await?;
            policy["definition"]["max-length"] = limit.into();
            policy["priority"] = json!(priority);
            policy["pattern"] = json!(format!("^{queue}$"));
            self.policy(Method::PUT, name, Some(policy)).await?;
            Ok(Some(()))
        })
        .await
    }

    /// Whether the broker has refused anything lately, as the services' logs tell. They have a line a minute for each
    /// address, so a line of the minute before may stand for this one.
    pub(super) async fn has_refused(&self, lately: Duration) -> Result<bool> {
        let since = format!("{}s", lately.as_secs() + LINE.as_secs() + 1);
        let logs = [&["logs", "--since", &since][..], &Compose::SERVICES].concat();
        Ok(self
            .compose
            .run(&logs)
            .await?
            .contains("RabbitMQ sent a nack"))
    }

    /// A limit that is below what is used.
    pub(super) async fn raise(&self, alarm: Alarm) -> Result<()> {
        match alarm {
            Alarm::Memory => {
                self.rabbitmqctl("set_vm_memory_high_watermark", &["absolute", "1MiB"])
                    .await
            }
            Alarm::Disk => self.rabbitmqctl("set_disk_free_limit", &["100000GB"]).await,
        }
    }

    /// As `rabbitmq.conf` has it, and no full queue.
    pub(crate) async fn restore_rabbitmq(&self) -> Result<()> {
        self.rabbitmqctl("set_vm_memory_high_watermark", &["absolute", "1GiB"])
            .await?;
        self.rabbitmqctl("set_disk_free_limit", &["1GB"]).await?;
        self.delete_policies(FULL).await
    }

    async fn delete_policies(&self, prefix: &str) -> Result<()> {
        eventually("no queue is full", SOON, async || {
            let all = self.policy(Method::GET, "", None).await?;
            let names = all.as_array().into_iter().flatten();
            let names = names.filter_map(|policy| policy["name"].as_str());
            for name in names.filter(|name| name.starts_with(prefix)) {
                self.policy(Method::DELETE, name, None).await?;
            }
            Ok(Some(()))
        })
        .await
    }

    async fn policy(&self, method: Method, name: &str, body: Option<Value>) -> Result<Value> {
        let path = format!("policies/{}/{name}", self.rabbitmq.vhost());
        self.rabbitmq.call(method, &path, body).await
    }

    async fn rabbitmqctl(&self, command: &str, arguments: &[&str]) -> Result<()> {
        let exec = ["exec", "-T", "rabbitmq", "rabbitmqctl", "--quiet", command];
        eventually("rabbitmqctl", SOON, async || {
            self.compose.run(&[&exec[..], arguments].concat()).await?;
            Ok(Some(()))
        })
        .await
        .with_context(|| command.to_owned())
    }
}
