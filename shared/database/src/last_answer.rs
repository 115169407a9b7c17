use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, Postgres, pool::PoolConnection};
use tokio::time::timeout;

use crate::limit::{LIMIT, within_limit};

/// A server that answered somebody so short a time ago will answer the next one too.
const RECENT: Duration = Duration::from_millis(100);

/// When the server last answered, on whichever connection of a pool.
///
/// A pool asks every connection that comes back whether it is alive, keeps its place meanwhile, and waits for the
/// answer for ever. A server that was cut off in the middle of ten calls would leave a pool of ten without any
/// connection, and with nobody who would open another one, for as long as the kernel believes in those: a quarter
/// of an hour. So whoever comes back is asked here first, with a limit, unless the server has just answered
/// somebody else: this costs ten round trips in a second at most.
#[derive(Clone, Default)]
pub(crate) struct LastAnswer(Arc<Mutex<Option<Instant>>>);

impl LastAnswer {
    /// Whether a connection that comes back can be used again.
    ///
    /// # Errors
    ///
    /// When it is lost, or nobody answers on it in time.
    pub(crate) async fn is_usable(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        if !self.is_recent() {
            within_limit(connection.ping()).await?;
            *self.lock() = Some(Instant::now());
        }
        Ok(true)
    }

    fn is_recent(&self) -> bool {
        self.lock().is_some_and(|last| last.elapsed() < RECENT)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a connection back. If the pool does not have it within 5 s, it is given up and leaves its place to a new one.
///
/// A connection that is only dropped is asked here and then by the pool itself. Where the server is cut off in the
/// midst of many short calls, some wait for the answer to that second question, or were not asked here because somebody
/// else had just been answered.
pub fn give_back(
    connection: &mut PoolConnection<Postgres>,
) -> impl Future<Output = ()> + Send + use<> {
    let returned = connection.return_to_pool();
    async move {
        timeout(LIMIT, returned).await.ok();
    }
}
