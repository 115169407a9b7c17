use std::sync::Arc;
use std::time::Duration;

use checker::{Attempt, Restocked};
use fastrand::Rng;
use harness::Gateway;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Ledger;
use super::patience::Patience;
use super::wish::{Plan, SCARCE, Wish};

/// No answer within this time, and the client asks again if it can do so safely.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// One client.
pub(super) struct Client {
    pub(super) gateway: Gateway,
    pub(super) ledger: Arc<Ledger>,
    /// When everything was healed, once it is.
    pub(super) healed: watch::Receiver<Option<Instant>>,
    pub(super) name: String,
    pub(super) rng: Rng,
}

/// What came of a request.
enum Answer {
    /// 2xx with this body.
    Yes(Value),
    /// Definitely not: 4xx with this detail.
    No(u16, String),
    /// Nobody knows, or not now: an error of the server or of the way to it, or 429.
    Unknown,
}

impl Client {
    /// Places an order, which occupies the place, and then does as planned.
    pub(super) async fn run(mut self, place: OwnedSemaphorePermit) {
        let email = format!("{}@chaos.example", self.name);
        let wish = Wish::new(&self.name, &email, &mut self.rng);
        let entry = self.ledger.attempt(Attempt {
            email,
            lines: wish.lines.clone(),
            asks_to_cancel: matches!(wish.plan, Plan::Cancel | Plan::Race),
            ..Attempt::default()
        });
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
    async fn place(&self, wish: &Wish, entry: usize) -> Option<Uuid> {
        let (key, what) = (wish.key.as_deref(), format!("the order of {}", self.name));
        let mut limit = wish.first_limit.unwrap_or(TIME_LIMIT);
        let mut patience = self.patience();
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
            let is_refused = answers.iter().any(|answer| self.is_refused(&what, answer));
            if let Some(id) = ids.first() {
                return Some(*id);
            }
            if key.is_none() || is_refused {
                return None;
            }
            if !patience.wait().await {
                self.ledger.unanswered(what);
                return None;
            }
            limit = TIME_LIMIT;
        }
    }

    /// Pays or cancels, again and again until there is an answer: repeating it changes nothing.
    async fn settle(&self, id: Uuid, what: &str, entry: usize) {
        let path = format!("/api/orders/{id}/{what}");
        let wanted = if what == "payment" {
            "paid"
        } else {
            "cancelled"
        };
        let what = format!("the {what} of order {id}");
        let mut patience = self.patience();
        loop {
            match self.send(&path, None, &Value::Null, TIME_LIMIT).await {
                Answer::Yes(_) => {
                    return self.ledger.write(entry, |attempt| match wanted {
                        "paid" => attempt.paid = true,
                        _ => attempt.cancelled = true,
                    });
                }
                // Too early, as a payment that has to wait until the stock is reserved, or too late.
                Answer::No(409, _) => match self.decided(id, &mut patience).await.as_deref() {
                    Some("confirmed") => {}
                    Some(status) if status == wanted => {}
                    _ => return,
                },
                answer if self.is_refused(&what, &answer) => return,
                _ => {}
            }
            if !patience.wait().await {
                return self.ledger.unanswered(what);
            }
        }
    }

    /// The status of an order once it is no longer pending. None when that takes too long.
    async fn decided(&self, id: Uuid, patience: &mut Patience) -> Option<String> {
        loop {
            match self.gateway.order(id).await {
                Ok(order) if order.status != "pending" => return Some(order.status),
                _ if !patience.wait().await => return None,
                _ => {}
            }
        }
    }

    /// Reports a delivery, under a key, until there is an answer.
    async fn restock(&self) {
        let key = format!("delivery-{}", self.name);
        let entry = self.ledger.restock(Restocked {
            key: key.clone(),
            sku: SCARCE.to_owned(),
            quantity: 1,
            answered: false,
        });
        let path = format!("/api/stock/{SCARCE}/restocks");
        let body = json!({"quantity": 1});
        let mut patience = self.patience();
        loop {
            match self.send(&path, Some(&key), &body, TIME_LIMIT).await {
                Answer::Yes(_) => return self.ledger.restocked(entry),
                answer if self.is_refused(&key, &answer) => return,
                _ => {}
            }
            if !patience.wait().await {
                return self.ledger.unanswered(key);
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
            Ok(answer) if (400..500).contains(&answer.status) && answer.status != 429 => {
                let detail = answer.body["detail"].as_str();
                Answer::No(answer.status, detail.unwrap_or_default().to_owned())
            }
            _ => Answer::Unknown,
        }
    }

    /// Whether the answer is a definite no, which nobody should get who asks for what can be had. It is
    /// written down.
    fn is_refused(&self, what: &str, answer: &Answer) -> bool {
        let Answer::No(status, detail) = answer else {
            return false;
        };
        self.ledger
            .refused(format!("{what} was answered with {status}: {detail}"));
        true
    }

    fn patience(&self) -> Patience {
        Patience::new(self.healed.clone(), self.rng.clone().u64(..))
    }
}

impl Answer {
    fn order_id(&self) -> Option<Uuid> {
        match self {
            Self::Yes(order) => order["id"].as_str()?.parse().ok(),
            Self::No(..) | Self::Unknown => None,
        }
    }
}
