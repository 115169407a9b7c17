//! What the tests of this service share.

#![expect(dead_code, reason = "each test file uses its own part of it")]

use std::time::Duration;

use anyhow::{Result, bail};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use console::controls::Controls;
use console::http::{Api, routes};
use console::live::Live;
use console::office::Replaying;
use console::statistics::Statistics;
use runtime::config::AdminArgs;
use runtime::health::Health;
use serde_json::Value;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) mod letters;
pub(crate) mod replays;
pub(crate) mod samples;

/// The service without its brokers.
pub(crate) struct Service {
    pub pool: PgPool,
    pub live: Live,
    pub token: CancellationToken,
    router: Router,
}

/// The answer to one request.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    /// Null if it is no JSON.
    pub body: Value,
}

impl Service {
    /// Where services may be broken.
    pub(crate) fn start(pool: PgPool) -> Self {
        Self::start_as(pool, true, false)
    }

    pub(crate) fn start_as(pool: PgPool, demo: bool, readonly: bool) -> Self {
        Self::guarded_by(AdminArgs::default(), pool, demo, readonly)
    }

    pub(crate) fn guarded_by(admin: AdminArgs, pool: PgPool, demo: bool, readonly: bool) -> Self {
        let (statistics, controls) = (Statistics::default(), Controls::new(demo));
        let live = Live::new(pool.clone(), statistics, controls, readonly);
        let token = CancellationToken::new();
        let api = Api {
            live: live.clone(),
            replaying: Replaying::default(),
            token: token.clone(),
            admin,
        };
        let router = runtime::http::app("console", routes(api), Health::default(), &[]);
        Self {
            pool,
            live,
            token,
            router,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Request::get(path).body(Body::empty())?).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send_json(Method::PUT, path, body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send_json(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send_json(Method::PATCH, path, body).await
    }

    async fn send_json(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let json = HeaderValue::from_static("application/json");
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, json);
        self.send(request.body(body.to_string().into())?).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Request::delete(path).body(Body::empty())?).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let (parts, body) = self.open(request).await?.into_parts();
        let bytes = to_bytes(body, usize::MAX).await?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes,
        })
    }

    /// The answer before its body has been read.
    pub(crate) async fn open(&self, mut request: Request<Body>) -> Result<Response> {
        let host = HeaderValue::from_static("localhost");
        request.headers_mut().entry(header::HOST).or_insert(host);
        Ok(self.router.clone().oneshot(request).await?)
    }
}

impl Answer {
    /// The fields that a problem names.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        errors
            .into_iter()
            .flatten()
            .filter_map(|error| error["field"].as_str())
            .collect()
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Looks again and again until there is something to see.
pub(crate) async fn eventually<T>(
    what: &str,
    look: impl AsyncFn() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        sleep(Duration::from_millis(20)).await;
    }
    bail!("never seen: {what}")
}
