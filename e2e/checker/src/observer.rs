//! Reads the picture that [`check`](super::check) decides by.

mod brokers;
mod databases;
mod http;
mod left;
mod letters;
mod topics;

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use harness::{Compose, Gateway, Letters, Management, SOON, eventually};

use super::{DeadLetter, Email, Observed};
use brokers::Groups;
use databases::Databases;

/// Looks at the whole system without changing anything.
pub struct Observer {
    gateway: Gateway,
    letters: Letters,
    rabbitmq: Management,
    compose: Compose,
    databases: Databases,
    groups: Groups,
}

/// How much is still on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pending {
    /// Orders whose stock is not decided upon.
    pub orders: i64,
    /// Orders that wait for their payment or the deadline of it.
    pub unpaid: i64,
    /// Messages that nobody has published yet.
    pub outbox: i64,
    /// Records that nobody has read yet.
    pub lag: i64,
    /// Reservations whose order no longer needs them, or does not know of them.
    pub reservations: i64,
    /// Notifications that nobody has delivered yet.
    pub notifications: i64,
}

impl Pending {
    /// Whether the system has caught up with every order. What waits for its payment has no hurry.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        [self.orders, self.outbox, self.lag, self.reservations]
            .iter()
            .all(|&count| count == 0)
    }

    /// Whether every customer was told as well.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.is_drained() && self.notifications == 0
    }
}

impl Observer {
    /// For the system that the environment describes.
    pub fn new(gateway: Gateway, rabbitmq: Management, compose: Compose) -> Result<Self> {
        Ok(Self {
            letters: Letters::new(gateway.clone()),
            gateway,
            rabbitmq,
            compose,
            databases: Databases::from_environment()?,
            groups: Groups::connect()?,
        })
    }

    /// How much is still on its way, cheap enough to be asked again and again.
    pub async fn pending(&self) -> Result<Pending> {
        let mut pending = self.databases.pending().await?;
        pending.lag = self
            .groups
            .lags()
            .await?
            .iter()
            .map(|lag| lag.records)
            .sum();
        Ok(pending)
    }

    /// Whether all queues but the one of dead letters are empty, as far as the broker has counted: it
    /// does so every few seconds.
    pub async fn queues_are_empty(&self) -> Result<bool> {
        let queues = brokers::queues(&self.rabbitmq).await?;
        Ok(queues.is_some_and(|queues| queues.iter().all(|queue| queue.messages == 0)))
    }

    /// What is left in queues and topics and with whom, in lines for people: for the report of a system in which nothing
    /// moves any more.
    pub async fn left(&self) -> Result<Vec<String>> {
        let mut lines = left::left(&self.rabbitmq).await.context("the queues")?;
        let lags = self.groups.lags().await.context("the consumer groups")?;
        lines.extend(lags.iter().filter(|lag| lag.records > 0).map(|lag| {
            let (group, partition, records) = (&lag.group, lag.partition, lag.records);
            format!("group {group}: {records} unread records in partition {partition}")
        }));
        Ok(lines)
    }

    /// The exchanges, queues and bindings that there are.
    pub async fn declared(&self) -> Result<BTreeSet<String>> {
        brokers::declared(&self.rabbitmq).await
    }

    /// The whole picture, once the system has come to rest: what there is to see beside what is known
    /// already of clients and faults.
    pub async fn look(&self, known: Observed) -> Result<Observed> {
        let mut observed = known;
        self.databases
            .read(&mut observed)
            .await
            .context("the databases")?;
        topics::read(&mut observed).await.context("the topics")?;
        http::read(&self.gateway, &mut observed)
            .await
            .context("the HTTP APIs")?;
        observed.lags = (self.groups.lags().await).context("the consumer groups")?;
        observed.queues = eventually("the queues are counted", SOON, async || {
            brokers::queues(&self.rabbitmq).await
        })
        .await?;
        observed.declared = self.declared().await.context("the topology")?;
        observed.dead_letters = self.dead_letters().await.context("the dead letters")?;
        observed.emails = self.emails().await.context("the e-mails")?;
        Ok(observed)
    }

    /// Those that were still in their queue as well.
    async fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        brokers::no_dead_letter_waits(&self.rabbitmq).await?;
        letters::read(self.databases.console(), &self.letters).await
    }

    /// The mail catcher's list forgets everything when it restarts, the files that it writes before it
    /// says yes to an e-mail stay.
    async fn emails(&self) -> Result<Vec<Email>> {
        let script = "mkdir -p /tmp/maildev && cd /tmp/maildev && \
                      find . -name '*.eml' -exec grep -h -i -m 1 '^Message-ID:' {} +";
        let lines = self
            .compose
            .run(&["exec", "-T", "mail", "sh", "-c", script])
            .await?;
        let ids = lines.lines().filter_map(|line| line.split_once(':'));
        Ok(ids
            .map(|(_, id)| Email {
                message_id: id.trim().to_owned(),
            })
            .collect())
    }
}
