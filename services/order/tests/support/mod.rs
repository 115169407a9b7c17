//! What the tests of this service share.

#![expect(dead_code, reason = "each test file uses its own part of it")]

use std::time::Duration;

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, Request, StatusCode},
};
use contracts::ProductListed;
use messaging::{BatchHandler, Bus, testing};
use order::{
    domain::Order,
    handlers::ConfirmOrReject,
    http::{Api, routes},
    intake::Intake,
    store,
};
use runtime::{config::AdminArgs, health::Health};
use serde_json::Value;
use sqlx::PgPool;
use tower::ServiceExt;
use uuid::Uuid;

mod samples;
pub(crate) use samples::*;

pub(crate) const PAYMENT_DEADLINE: Duration = Duration::from_secs(900);
/// More rows than any test leaves in the outbox by its requests alone.
pub(crate) const OUTBOX_LIMIT: i64 = 10_000;

/// The service without its brokers: what it publishes stays in the outbox.
pub(crate) struct Service {
    pub pool: PgPool,
    pub bus: Bus,
    router: Router,
}

/// The answer to one request.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Service {
    /// A service with two products on sale.
    pub(crate) async fn start(pool: PgPool) -> Result<Self> {
        let service = Self::start_without_products(pool).await?;
        list(&service.pool, &[listing(TEA, 450), listing(POT, 2_900)]).await?;
        Ok(service)
    }

    pub(crate) async fn start_without_products(pool: PgPool) -> Result<Self> {
        messaging::migrate(&pool).await?;
        Self::without_database(pool)
    }

    /// A service whose database need not be there until a request needs it.
    pub(crate) fn without_database(pool: PgPool) -> Result<Self> {
        Self::guarded_by(AdminArgs::default(), pool)
    }

    /// The same, with a token or without.
    pub(crate) fn guarded_by(admin: AdminArgs, pool: PgPool) -> Result<Self> {
        let bus = bus(&pool)?;
        let (intake, writers) = Intake::new(&bus);
        for writer in writers {
            tokio::spawn(writer);
        }
        let api = Api::new(&pool, bus.clone(), intake, admin);
        let router = runtime::http::app("order", routes(api), Health::default(), &[]);
        Ok(Self { pool, bus, router })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Request::get(path).body(Body::empty())?).await
    }

    pub(crate) async fn post(&self, path: &str) -> Result<Answer> {
        self.send(Request::post(path).body(Body::empty())?).await
    }

    pub(crate) async fn place(&self, body: &Value) -> Result<Answer> {
        self.send(
            Request::post("/api/orders")
                .header("content-type", "application/json")
                .body(body.to_string().into())?,
        )
        .await
    }

    pub(crate) async fn place_with_key(&self, key: &str, body: &Value) -> Result<Answer> {
        let request = Request::post("/api/orders")
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body.to_string().into())?;
        self.send(request).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Result<Answer> {
        let host = HeaderValue::from_static("localhost");
        request.headers_mut().entry("host").or_insert(host);
        let response = self.router.clone().oneshot(request).await?;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// Places an order for one tea and answers its id.
    pub(crate) async fn placed(&self) -> Result<Uuid> {
        let answer = self.place(&one_tea()).await?;
        anyhow::ensure!(answer.status == StatusCode::ACCEPTED, "{}", answer.body);
        answer.id()
    }

    /// Places an order whose stock is reserved.
    pub(crate) async fn confirmed(&self) -> Result<Uuid> {
        let id = self.placed().await?;
        self.handle(
            &ConfirmOrReject {
                payment_deadline: PAYMENT_DEADLINE,
            },
            [reserved(id)],
        )
        .await?;
        Ok(id)
    }

    /// Handles messages the way a consumer does, in one transaction.
    pub(crate) async fn handle<H: BatchHandler>(
        &self,
        handler: &H,
        bodies: impl IntoIterator<Item = H::Message>,
    ) -> Result<()> {
        testing::handle(&self.bus, handler, bodies).await
    }

    pub(crate) async fn order(&self, id: Uuid) -> Result<Order> {
        store::order(&mut *self.pool.acquire().await?, id)
            .await?
            .context("no such order")
    }

    /// The types of the messages about this order in the outbox, oldest first, without their
    /// common prefix and version.
    pub(crate) async fn published(&self, id: Uuid) -> Result<Vec<String>> {
        let types = "select message_type from messaging.outbox where convert_from(body, 'UTF8') like $1 order by seq";
        let types: Vec<String> = sqlx::query_scalar(types)
            .bind(format!("%{id}%"))
            .fetch_all(&self.pool)
            .await?;
        let short = |name: &String| {
            name.trim_start_matches("spillway.")
                .trim_end_matches(".v1")
                .to_owned()
        };
        Ok(types.iter().map(short).collect())
    }

    pub(crate) async fn count_orders(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from orders")
            .fetch_one(&self.pool)
            .await?)
    }
}

impl Answer {
    pub(crate) fn id(&self) -> Result<Uuid> {
        Ok(self.body["id"].as_str().context("no id")?.parse()?)
    }

    /// The fields that a problem names.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        errors
            .into_iter()
            .flatten()
            .filter_map(|error| error["field"].as_str())
            .collect()
    }
}

pub(crate) async fn list(pool: &PgPool, listings: &[ProductListed]) -> Result<()> {
    Ok(store::upsert_products(&mut *pool.acquire().await?, listings.iter()).await?)
}

fn bus(pool: &PgPool) -> Result<Bus> {
    let mut args = testing::args()?;
    args.limits.outbox_limit = OUTBOX_LIMIT;
    Bus::new("order", args, pool.clone())
}
