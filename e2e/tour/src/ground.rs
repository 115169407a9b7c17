use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use harness::{Compose, Gateway, Letters, Mailbox, Management, Order, http_client, setting};
use serde_json::{Value, json};
use uuid::Uuid;

use self::put_back::Before;
use super::broker::Broker;

mod put_back;

/// What the tour orders, one piece at a time.
pub(super) const SKU: &str = "LAMP-HEAD";
/// A broker and everything behind it may have to start first.
pub(super) const A_WHILE: Duration = Duration::from_secs(90);
/// Requests under way at once.
const CONCURRENCY: usize = 32;

/// The running system as a step has it, and what it has to be put back to.
pub struct Ground {
    pub(super) gateway: Gateway,
    pub(super) mailbox: Mailbox,
    pub(super) letters: Letters,
    pub(super) rabbitmq: Management,
    pub(super) compose: Compose,
    pub(super) broker: Broker,
    before: Before,
    /// The orders of the present step.
    orders: Mutex<Vec<Uuid>>,
    /// Requests of the present step that have no answer yet, by their idempotency keys.
    unanswered: Mutex<BTreeMap<String, Value>>,
    /// The message ids of those messages of the present step that nobody can handle.
    poison: Mutex<Vec<String>>,
}

impl Ground {
    /// The system that the environment names, as it is now.
    ///
    /// # Errors
    ///
    /// When it is not there, or not healthy.
    pub async fn survey() -> Result<Self> {
        let http = http_client(Duration::from_secs(15))?;
        let (compose, broker) = (Compose::from_environment()?, Broker::from_environment()?);
        let gateway = Gateway::new(http.clone())?;
        let letters = Letters::new(gateway.clone());
        let before = Before::of(&compose, &gateway, &broker, &letters).await?;
        Ok(Self {
            gateway,
            mailbox: Mailbox::new(http.clone())?,
            letters,
            rabbitmq: Management::new(http)?,
            compose,
            broker,
            before,
            orders: Mutex::default(),
            unanswered: Mutex::default(),
            poison: Mutex::default(),
        })
    }

    /// Names that texts for the visitor may have, with the addresses behind them.
    ///
    /// # Errors
    ///
    /// When the environment does not say where something is.
    pub fn addresses() -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("GATEWAY", setting("GATEWAY_URL")?),
            ("MAIL", setting("MAIL_URL")?),
            ("RABBITMQ", setting("RABBITMQ_API_URL")?),
        ])
    }

    /// Places an order.
    pub(super) async fn place(&self, wish: &Value) -> Result<Order> {
        let key = Uuid::now_v7().to_string();
        self.announce(&key, wish);
        self.place_announced(&key, wish).await
    }

    /// A request with this key is about to be sent. Should its answer never come, the key tells which
    /// order came of it.
    pub(super) fn announce(&self, key: &str, wish: &Value) {
        lock(&self.unanswered).insert(key.to_owned(), wish.clone());
    }

    async fn place_announced(&self, key: &str, wish: &Value) -> Result<Order> {
        let answer = self.gateway.post_once("/api/orders", key, wish).await?;
        ensure!(answer.status == 202, "{answer:?}");
        let order: Order = serde_json::from_value(answer.body)?;
        lock(&self.unanswered).remove(key);
        lock(&self.orders).push(order.id);
        Ok(order)
    }

    /// A message with this id may end as a dead letter.
    pub(super) fn poisoned(&self, id: &str) {
        lock(&self.poison).push(id.to_owned());
    }

    /// Places many orders for one customer and returns their ids.
    pub(super) async fn burst(&self, email: &str, orders: usize) -> Result<Vec<Uuid>> {
        let wish = wish(email);
        let placed = stream::iter(0..orders).map(|_| self.place(&wish));
        let placed = placed
            .buffer_unordered(CONCURRENCY)
            .map_ok(|order| order.id);
        placed.try_collect().await
    }

    /// Waits until each of these orders is confirmed; any other end is an error.
    pub(super) async fn all_confirmed(&self, orders: &[Uuid]) -> Result<()> {
        let waits = stream::iter(orders).map(|id| self.gateway.reaches(*id, "confirmed", A_WHILE));
        waits
            .buffer_unordered(CONCURRENCY)
            .try_for_each(async |_| Ok(()))
            .await
    }

    /// Pieces that are set aside now and were not before the tour.
    pub(super) async fn newly_reserved(&self) -> Result<i64> {
        Ok(self.gateway.stock(SKU).await?.reserved - self.before.stock.reserved)
    }

    /// Starts a service that was stopped, and waits until it is healthy.
    pub(super) async fn start(&self, service: &str) -> Result<Duration> {
        let started = Instant::now();
        let instances = self.instances(service);
        self.compose.up(&[(service, instances)]).await?;
        Ok(started.elapsed())
    }

    /// How many instances a service had before the tour.
    pub(super) fn instances(&self, service: &str) -> usize {
        self.before.instances.get(service).copied().unwrap_or(1)
    }
}

/// An order for one piece.
pub(super) fn wish(email: &str) -> Value {
    json!({"customer": {"email": email}, "lines": [{"sku": SKU, "quantity": 1}]})
}

/// An address that no step before has used.
pub(super) fn address() -> String {
    format!("{}@tour.example", Uuid::now_v7().simple())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
