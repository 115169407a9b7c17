use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Body, Client, Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{SOON, eventually, setting};

/// The HTTP API as a user sees it.
#[derive(Debug, Clone)]
pub struct Gateway {
    http: Client,
    url: String,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, null when it is not JSON.
    pub body: Value,
}

/// What a test looks at in an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Order {
    pub id: Uuid,
    pub status: String,
    pub version: i32,
    pub history: Vec<Change>,
}

/// An entry of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Change {
    pub status: String,
    pub version: i32,
    pub reason: Option<String>,
}

/// The stock of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct StockLevel {
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
}

impl StockLevel {
    /// All pieces that ever came in.
    #[must_use]
    pub fn pieces(&self) -> i64 {
        self.available + self.reserved + self.sold
    }
}

/// One thing that a customer was told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Notification {
    pub event: String,
    pub channel: String,
    pub recipient: String,
    pub status: String,
    pub id: Uuid,
}

impl Gateway {
    /// As `GATEWAY_URL` says.
    pub fn new(http: Client) -> Result<Self> {
        Ok(Self {
            http,
            url: setting("GATEWAY_URL")?,
        })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.http.get(self.url(path))).await
    }

    /// GET of something that is no JSON and has to be there.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        let response = self.http.get(self.url(path)).send().await?;
        Ok(response.error_for_status()?.bytes().await?.to_vec())
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(path, body)).await
    }

    /// POST of JSON with an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(path, body).header("idempotency-key", key))
            .await
    }

    /// Any other method with JSON.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let request = self.http.request(method, self.url(path)).json(body);
        self.send(request).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.http.delete(self.url(path))).await
    }

    /// A POST of JSON to add headers to, for [`Gateway::send`].
    pub fn request(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request_of_type(path, "application/json", body.to_string())
    }

    /// A POST of anything.
    pub fn request_of_type(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<Body>,
    ) -> RequestBuilder {
        self.http
            .post(self.url(path))
            .header(CONTENT_TYPE, content_type)
            .body(body)
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// Places an order that must be accepted.
    pub async fn place(&self, wish: &Value) -> Result<Order> {
        let answer = self.post("/api/orders", wish).await?;
        ensure!(answer.status == 202, "{answer:?}");
        Ok(serde_json::from_value(answer.body)?)
    }

    /// Looks an order up.
    pub async fn order(&self, id: Uuid) -> Result<Order> {
        self.read(&format!("/api/orders/{id}")).await
    }

    /// Waits until an order has a status. Any other final status is an error at once.
    pub async fn reaches(&self, id: Uuid, status: &str, limit: Duration) -> Result<Order> {
        let outcome = eventually(format!("order {id} is {status}"), limit, async || {
            let order = self.order(id).await?;
            let is_final = matches!(order.status.as_str(), "rejected" | "paid" | "cancelled");
            Ok((order.status == status || is_final).then_some(order))
        });
        let order = outcome.await?;
        ensure!(order.status == status, "expected {status}: {order:?}");
        Ok(order)
    }

    /// Places an order and waits until it has a status.
    pub async fn place_until(&self, wish: &Value, status: &str) -> Result<Order> {
        let order = self.place(wish).await?;
        self.reaches(order.id, status, SOON).await
    }

    /// Pays or cancels: `what` is `payment` or `cancellation`.
    pub async fn settle(&self, id: Uuid, what: &str) -> Result<Order> {
        let answer = self
            .post(&format!("/api/orders/{id}/{what}"), &Value::Null)
            .await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(serde_json::from_value(answer.body)?)
    }

    /// The stock of a product.
    pub async fn stock(&self, sku: &str) -> Result<StockLevel> {
        self.read(&format!("/api/stock/{sku}")).await
    }

    /// Waits until the stock of a product is as expected.
    pub async fn stock_becomes(&self, sku: &str, expected: StockLevel) -> Result<()> {
        let mut last = None;
        let reached = eventually("the stock level", SOON, async || {
            let level = self.stock(sku).await?;
            let reached = (level == expected).then_some(());
            last = Some(level);
            Ok(reached)
        });
        reached
            .await
            .with_context(|| format!("{sku}: expected {expected:?}, last seen {last:?}"))
    }

    /// Waits until all these (event, channel) and no others were sent for an order.
    pub async fn told(&self, order: Uuid, expected: &[(&str, &str)]) -> Result<Vec<Notification>> {
        let path = format!("/api/notifications?order_id={order}");
        let mut last = Vec::new();
        let told = eventually("the notifications", SOON, async || {
            let mut list: Vec<Notification> = self.read(&path).await?;
            list.sort();
            let done = list.len() >= expected.len() && list.iter().all(|one| one.status == "sent");
            last.clone_from(&list);
            Ok(done.then_some(list))
        });
        let list = told.await.with_context(|| format!("last seen {last:?}"))?;
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let found: Vec<_> = list
            .iter()
            .map(|one| (one.event.as_str(), one.channel.as_str()))
            .collect();
        if found != expected {
            bail!("expected {expected:?}, found {found:?}");
        }
        Ok(list)
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.get(path).await?;
        ensure!(answer.status == 200, "{path}: {answer:?}");
        Ok(serde_json::from_value(answer.body)?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// An order as one places it: one line, for a customer with an address of their own.
#[must_use]
pub fn wish(sku: &str, quantity: i64) -> Value {
    let email = format!("{}@e2e.example", Uuid::now_v7().simple());
    json!({"customer": {"email": email}, "lines": [{"sku": sku, "quantity": quantity}]})
}
