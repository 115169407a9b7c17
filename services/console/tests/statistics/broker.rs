use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use console::statistics::{RabbitMqApi, Statistics, watch_rabbitmq};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Service, eventually};

pub(crate) const QUEUE: &str = "inventory.stock-commands";

/// RabbitMQ's management API, as far as the console asks it.
pub(crate) struct Broker {
    url: String,
    queues: Arc<Mutex<Value>>,
    /// How often it was asked for the queues, and for the connections.
    asked: Arc<[AtomicU32; 2]>,
}

/// Somebody who looks at it once a second.
pub(crate) struct Watching {
    token: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl Broker {
    pub(crate) async fn start() -> Result<Self> {
        let queues = Arc::new(Mutex::new(json!([])));
        let asked = Arc::<[AtomicU32; 2]>::default();
        let (of_queues, of_connections) = (Arc::clone(&asked), Arc::clone(&asked));
        let tell = async move |State(queues): State<Arc<Mutex<Value>>>| {
            of_queues[0].fetch_add(1, Ordering::Relaxed);
            Json(
                queues
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone(),
            )
        };
        let connected = json!([{"user": "inventory", "peer_host": "10.0.0.5"}, {"user": "inventory", "peer_host": "10.0.0.5"}]);
        let app = Router::new()
            .route("/api/queues/spillway", get(tell))
            .route(
                "/api/vhosts/spillway/connections",
                get(async move || {
                    of_connections[1].fetch_add(1, Ordering::Relaxed);
                    Json(connected)
                }),
            )
            .with_state(Arc::clone(&queues));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://console:secret@{}", listener.local_addr()?);
        tokio::spawn(async { axum::serve(listener, app).await });
        Ok(Self { url, queues, asked })
    }

    /// From now on it says that so many messages wait in the queue, after so many were acknowledged.
    pub(crate) fn say(&self, waiting: u64, consumers: u64, acknowledged: u64) {
        let queue = json!({"name": QUEUE, "messages": waiting, "messages_ready": waiting, "consumers": consumers,
                           "messages_unacknowledged": 0, "arguments": {}, "message_stats": {"ack": acknowledged}});
        self.tell(json!([queue]));
    }

    pub(crate) fn tell(&self, queues: Value) {
        *self.queues.lock().unwrap_or_else(PoisonError::into_inner) = queues;
    }

    /// How often it was asked for the queues, and for the connections.
    pub(crate) fn asked(&self) -> [u32; 2] {
        [0, 1].map(|n| self.asked[n].load(Ordering::Relaxed))
    }

    pub(crate) fn watch(&self, statistics: &Statistics, pool: &PgPool) -> Result<Watching> {
        watch(&self.url, statistics, pool)
    }
}

pub(crate) fn watch(url: &str, statistics: &Statistics, pool: &PgPool) -> Result<Watching> {
    // Which a process does at its start; here whichever test comes first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let api = RabbitMqApi::new(url, "spillway")?;
    let token = CancellationToken::new();
    let task = watch_rabbitmq(api, statistics.clone(), pool.clone(), token.clone());
    let task = tokio::spawn(task);
    Ok(Watching { token, task })
}

impl Watching {
    pub(crate) async fn stop(self) -> Result<()> {
        self.token.cancel();
        self.task.await?
    }
}

/// The first frame in which this can be found.
pub(crate) async fn frame_with<T>(
    service: &Service,
    what: &str,
    find: impl Fn(&Value) -> Option<T>,
) -> Result<(Value, T)> {
    eventually(what, async || {
        let frame = service
            .get("/api/console/frame")
            .await
            .context("no frame")?
            .body;
        let found = find(&frame);
        Ok(found.map(|found| (frame, found)))
    })
    .await
}
