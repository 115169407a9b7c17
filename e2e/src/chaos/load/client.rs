use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Ledger;
use super::wish::{Plan, SCARCE, Wish};
use crate::Gateway;
use crate::checker::Restocked;

/// No answer within this time, and the client asks again if it can do so safely.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// One client.
pub(super) struct Client {
    pub(super) gateway: Gateway,
    pub(super) ledger: Arc<Ledger>,
    /// When to stop asking, once that is known.
    pub(super) is_over: watch::Receiver<Option<Instant>>,
    pub(super) name: String,
    pub(super) rng: Rng,
}

/// What came of a request.
enum Answer {
    /// 2xx with this body.
    Yes(Value),
    /// Definitely not, or not now: 4xx with this detail.
    No(String),
    /// Nobody knows: an error of the server or of the way to it.
    Unknown,
}

impl Client {
    /// Places an order, which occupies the place, and then does as planned.
    pub(super) async fn run(mut self, place: OwnedSemaphorePermit) {
        let email = format!("{}@chaos.example", self.name);
        let wish = Wish::new(&self.name, &email, &mut self.rng);
        let entry = self.ledger.attempt(&email);
        let id = self.place(&wish, entry).await;
        drop(place);
        if wish.restocks {
            self.restock().await;
        }
        let Some(id) = id else { return };
        sleep(wish.pause).await;
        match wish.plan {
            Plan::Forget => {}
            Plan::Pay => self.settle(id, "payment", entry).await,
            Plan::Cancel => self.settle(id, "cancellation", entry).await,
            Plan::Race => {
                tokio::join!(
                    self.settle(id, "payment", entry),
                    self.settle(id, "cancellation", entry)
                );
            }
        }
    }

    /// Without a key it asks once, because asking again could make two orders; with one it asks until
    /// it has an answer.
    async fn place(&mut self, wish: &Wish, entry: usize) -> Option<Uuid> {
        let key = wish.key.as_deref();
        let mut limit = wish.first_limit.unwrap_or(TIME_LIMIT);
        loop {
            let first = self.send("/api/orders", key, &wish.body, limit);
            let answers = if wish.is_double {
                let second = self.send("/api/orders", key, &wish.body, limit);
                let (first, second) = tokio::join!(first, second);
                vec![first, second]
            } else {
                vec![first.await]
            };
            let ids: Vec<Uuid> = answers.iter().filter_map(Answer::order_id).collect();
            self.ledger.write(entry, |attempt| {
                for id in &ids {
                    if !attempt.accepted.contains(id) {
                        attempt.accepted.push(*id);
                    }
                }
            });
            if let Some(id) = ids.first() {
                return Some(*id);
            }
            if key.is_none() || !self.wait().await {
                return None;
            }
            limit = TIME_LIMIT;
        }
    }

    /// Pays or cancels, again and again until there is an answer: repeating it changes nothing.
    async fn settle(&self, id: Uuid, what: &str, entry: usize) {
        let path = format!("/api/orders/{id}/{what}");
        let mut rng = self.rng.clone();
        loop {
            match self.send(&path, None, &Value::Null, TIME_LIMIT).await {
                Answer::Yes(_) => {
                    return self.ledger.write(entry, |attempt| match what {
                        "payment" => attempt.paid = true,
                        _ => attempt.cancelled = true,
                    });
                }
                // A payment has to wait until the stock is reserved.
                Answer::No(detail) if detail.contains("the order is pending") => {}
                Answer::No(_) => return,
                Answer::Unknown => {}
            }
            if !wait(&self.is_over, &mut rng).await {
                return;
            }
        }
    }

    /// Reports a delivery, under a key, until there is an answer.
    async fn restock(&mut self) {
        let key = format!("delivery-{}", self.name);
        let entry = self.ledger.restock(Restocked {
            key: key.clone(),
            sku: SCARCE.to_owned(),
            quantity: 1,
            answered: false,
        });
        let path = format!("/api/stock/{SCARCE}/restocks");
        let body = json!({"quantity": 1});
        loop {
            if let Answer::Yes(_) = self.send(&path, Some(&key), &body, TIME_LIMIT).await {
                return self.ledger.restocked(entry);
            }
            if !self.wait().await {
                return;
            }
        }
    }

    async fn send(&self, path: &str, key: Option<&str>, body: &Value, limit: Duration) -> Answer {
        let mut request = self.gateway.request(path, body).timeout(limit);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        match self.gateway.send(request).await {
            Ok(answer) if (200..300).contains(&answer.status) => Answer::Yes(answer.body),
            Ok(answer) if (400..500).contains(&answer.status) => {
                let detail = answer.body["detail"].as_str();
                Answer::No(detail.unwrap_or_default().to_owned())
            }
            _ => Answer::Unknown,
        }
    }

    async fn wait(&mut self) -> bool {
        wait(&self.is_over, &mut self.rng).await
    }
}

impl Answer {
    fn order_id(&self) -> Option<Uuid> {
        match self {
            Self::Yes(order) => order["id"].as_str()?.parse().ok(),
            Self::No(_) | Self::Unknown => None,
        }
    }
}

/// A pause before the next try, unless it is time to give up.
async fn wait(is_over: &watch::Receiver<Option<Instant>>, rng: &mut Rng) -> bool {
    if is_over
        .borrow()
        .is_some_and(|deadline| Instant::now() >= deadline)
    {
        return false;
    }
    sleep(Duration::from_millis(rng.u64(200..1_500))).await;
    true
}
