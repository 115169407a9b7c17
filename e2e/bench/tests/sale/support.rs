//! The real router in front of a shop that answers every order as a test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::routing::post;
use bench::load::sale::{Sales, http::routes};
use harness::{SOON, eventually};
use runtime::health::Health;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The service under test, without its process.
pub(crate) struct Load {
    app: Router,
    /// Cancelled when the process is asked to stop.
    pub(crate) life: CancellationToken,
}

impl Load {
    /// Sells at a shop that answers with these statuses in turn; without any it never answers.
    pub(crate) async fn at_shop(statuses: &'static [u16]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let orders = Arc::new(AtomicUsize::new(0));
        let shop = Router::new().route(
            "/api/orders",
            post(async move || {
                let order = orders.fetch_add(1, Relaxed);
                match statuses.get(order % statuses.len().max(1)) {
                    Some(status) => StatusCode::from_u16(*status).unwrap_or_default(),
                    None => std::future::pending().await,
                }
            }),
        );
        tokio::spawn(axum::serve(listener, shop).into_future());
        Ok(Self::new(&url, true))
    }

    /// Where orders would go to nobody.
    pub(crate) fn new(url: &str, is_demo: bool) -> Self {
        let life = CancellationToken::new();
        let sales = Arc::new(Sales::new(url.to_owned(), is_demo, life.clone()));
        let app = runtime::http::app("load", routes(sales), Health::default(), &[]);
        Self { app, life }
    }

    pub(crate) async fn get(&self) -> Result<(StatusCode, Value)> {
        self.send(Request::get("/api/load"), Body::empty()).await
    }

    pub(crate) async fn start(&self, rate: u32, seconds: u32) -> Result<(StatusCode, Value)> {
        let wish = json!({"rate_per_s": rate, "seconds": seconds, "by": "Ada"});
        self.post(&wish).await
    }

    pub(crate) async fn post(&self, wish: &Value) -> Result<(StatusCode, Value)> {
        let request = Request::post("/api/load").header(header::CONTENT_TYPE, "application/json");
        self.send(request, wish.to_string().into()).await
    }

    pub(crate) async fn stop(&self) -> Result<(StatusCode, Value)> {
        self.send(Request::delete("/api/load"), Body::empty()).await
    }

    /// The sale once it has ended.
    pub(crate) async fn ended(&self) -> Result<Value> {
        eventually("the sale ends", SOON, async || {
            let (_, sale) = self.get().await?;
            Ok((sale["running"] == false).then_some(sale))
        })
        .await
    }

    pub(crate) async fn send_request(&self, request: Request<Body>) -> Result<(StatusCode, Value)> {
        let response = self.app.clone().oneshot(request).await?;
        let status = response.status();
        if !status.is_success() {
            let content_type = &response.headers()[header::CONTENT_TYPE];
            assert_eq!(content_type, "application/problem+json");
        }
        let body = to_bytes(response.into_body(), usize::MAX).await?;
        Ok((status, serde_json::from_slice(&body)?))
    }

    async fn send(
        &self,
        request: axum::http::request::Builder,
        body: Body,
    ) -> Result<(StatusCode, Value)> {
        let request = request.header(header::HOST, "localhost").body(body)?;
        self.send_request(request).await
    }
}
