use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use futures::{StreamExt, TryStreamExt, stream};
use harness::{Compose, Gateway, Letter, Letters, StockLevel, eventually};
use serde_json::Value;
use uuid::Uuid;

use super::{A_WHILE, CONCURRENCY, Ground, SKU, lock};
use crate::broker::Broker;

/// What every step has to leave as it was.
pub(super) struct Before {
    pub(super) instances: BTreeMap<String, usize>,
    pub(super) stock: StockLevel,
    commands: u32,
    /// Those about which nobody has decided yet.
    dead_letters: u64,
}

impl Before {
    pub(super) async fn of(
        compose: &Compose,
        gateway: &Gateway,
        broker: &Broker,
        letters: &Letters,
    ) -> Result<Self> {
        Ok(Self {
            instances: instances(compose).await?,
            stock: gateway.stock(SKU).await?,
            commands: broker.depth(STOCK_COMMANDS).await?,
            dead_letters: letters.open().await?,
        })
    }
}

impl Ground {
    /// Makes the system what it was before, whatever has become of it, and says what that is.
    ///
    /// # Errors
    ///
    /// When something cannot be put back.
    pub async fn put_back(&self) -> Result<String> {
        let all = Compose::SERVICES.into_iter().chain(["console"]);
        let scale: Vec<_> = all.map(|one| (one, self.instances(one))).collect();
        self.compose.up_all(&scale).await?;
        self.cancel_orders().await?;

        let Before { stock, .. } = self.before;
        self.gateway.stock_becomes(SKU, stock).await?;
        let commands = self.drained(STOCK_COMMANDS, self.before.commands).await?;
        let letters = self.poison_discarded().await?;
        lock(&self.poison).clear();
        ensure!(
            instances(&self.compose).await? == self.before.instances,
            "not as many containers as before"
        );
        Ok(format!(
            "{} instance(s) of inventory, {} {SKU} available, {commands} commands waiting, \
             {letters} dead letters",
            self.instances("inventory"),
            stock.available
        ))
    }

    async fn cancel_orders(&self) -> Result<()> {
        let unanswered = lock(&self.unanswered).clone();
        for (key, wish) in &unanswered {
            eventually("an answer", A_WHILE, async || {
                self.place_announced(key, wish).await.map(Some)
            })
            .await?;
        }
        let orders = std::mem::take(&mut *lock(&self.orders));
        let path = |id: &Uuid| format!("/api/orders/{id}/cancellation");
        let cancelled = stream::iter(&orders).map(async |id| {
            eventually("a cancellation", A_WHILE, async || {
                let answer = self.gateway.post(&path(id), &Value::Null).await?;
                // 409: the order has ended already.
                Ok(matches!(answer.status, 200 | 409).then_some(()))
            })
            .await
        });
        cancelled.buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// Waits until no more messages than before wait in a queue.
    async fn drained(&self, queue: &str, before: u32) -> Result<u32> {
        eventually(format!("{queue} is as before"), A_WHILE, async || {
            let depth = self.broker.depth(queue).await?;
            Ok((depth <= before).then_some(depth))
        })
        .await
    }

    /// Discards the dead letters of the present step, and waits until no more of them are open than before.
    async fn poison_discarded(&self) -> Result<u64> {
        let poison = lock(&self.poison).clone();
        eventually("the dead letters are as before", A_WHILE, async || {
            if !poison.is_empty() {
                self.discard(&poison).await?;
            }
            let open = self.letters.open().await?;
            Ok((open <= self.before.dead_letters).then_some(open))
        })
        .await
    }

    async fn discard(&self, poison: &[String]) -> Result<()> {
        let open = self.letters.list("state=open").await?;
        let is_poison = |letter: &&Letter| poison.iter().any(|id| letter.is_of(id));
        let letters: Vec<_> = open.iter().filter(is_poison).map(|one| one.id).collect();
        if letters.is_empty() {
            return Ok(());
        }
        let reason = "the tour has sent it to show what becomes of it";
        self.letters.discard(&letters, "tour", reason).await
    }
}

/// The running containers of each service.
async fn instances(compose: &Compose) -> Result<BTreeMap<String, usize>> {
    let services = compose.run(&["ps", "--format", "{{.Service}}"]).await?;
    let mut instances = BTreeMap::new();
    for service in services.lines() {
        *instances.entry(service.to_owned()).or_default() += 1;
    }
    let is_there = |service: &&str| instances.contains_key(*service);
    let missing = Compose::SERVICES.iter().find(|service| !is_there(service));
    match missing {
        None => Ok(instances),
        Some(service) => None.with_context(|| format!("{service} is not running")),
    }
}
