use std::sync::Arc;
use std::time::Duration;

use database::within_limit;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use uuid::Uuid;

use super::handover::Handover;
use crate::backoff::Backoff;
use crate::transport::Transport;

/// The channel of PostgreSQL on which relays hear of each other's rows.
const CHANNEL: &str = "messaging_outbox";

/// A connection on which nobody has said anything for so long may be cut off without knowing it. A new one is
/// opened then.
const SILENCE: Duration = Duration::from_secs(60);

/// Tells the relays of other instances that something waits for them in the table, and listens to them. When
/// a word is lost they find it with the renewal of their leases, every `OUTBOX_POLL`.
pub(super) struct Wire {
    pool: PgPool,
    transport: Transport,
    handover: Arc<Handover>,
    /// Who speaks, so that nobody listens to himself.
    name: String,
}

impl Wire {
    pub(super) fn new(pool: &PgPool, transport: Transport, handover: Arc<Handover>) -> Self {
        Self {
            pool: pool.clone(),
            transport,
            handover,
            name: Uuid::now_v7().to_string(),
        }
    }

    /// Speaks and listens until stopped.
    pub(super) async fn keep(&self, token: &CancellationToken) {
        let both = async { tokio::join!(self.speak(), self.listen()) };
        token.run_until_cancelled(both).await;
    }

    /// Outside of the transactions that write: PostgreSQL takes a lock for a transaction that notifies, and
    /// they would commit one after the other. What is written meanwhile shares the next word.
    async fn speak(&self) {
        loop {
            self.handover.elsewhere.notified().await;
            let word = format!("{} {}", self.transport.as_str(), self.name);
            let notify = sqlx::query("select pg_notify($1, $2)")
                .bind(CHANNEL)
                .bind(word);
            if let Err(error) = within_limit(notify.execute(&self.pool)).await {
                debug!(
                    error = format!("{error:#}"),
                    "other relays were not notified"
                );
            }
        }
    }

    async fn listen(&self) {
        let mut backoff = Backoff::default();
        loop {
            if let Err(error) = self.listen_on_one_connection(&mut backoff).await {
                debug!(
                    error = format!("{error:#}"),
                    "not listening to other relays"
                );
            }
            sleep(backoff.next_pause()).await;
        }
    }

    /// A connection of its own, which nobody else has to wait for.
    async fn listen_on_one_connection(&self, backoff: &mut Backoff) -> sqlx::Result<()> {
        let options = PgPoolOptions::new().max_connections(1);
        let own = options.connect_lazy_with((*self.pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&own).await?;
        listener.listen(CHANNEL).await?;
        *backoff = Backoff::default();
        self.handover.look();
        while let Ok(heard) = timeout(SILENCE, listener.try_recv()).await {
            // None when the connection was lost, and with it perhaps some words.
            let Some(word) = heard? else {
                break;
            };
            if let Some((transport, name)) = word.payload().split_once(' ')
                && transport == self.transport.as_str()
                && name != self.name
            {
                self.handover.look();
            }
        }
        Ok(())
    }
}
