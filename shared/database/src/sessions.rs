use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::{Database, PgConnection, PgPool, Postgres, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;

use crate::ACQUIRE_TIMEOUT;

/// So many connections stay with the sessions instead of going back to the pool.
const KEPT: usize = 4;

type Manager = <Postgres as Database>::TransactionManager;

/// Connections for transactions that follow one another, as those of consumers do.
///
/// A pool asks every connection that comes back whether it is alive, and hands out the one that was idle for
/// the longest time. Here a connection that has just committed is used again at once, and first: this saves a
/// round trip for each transaction, and few processes of the server do all the work. The kept connections
/// count among those of the pool, so whatever else uses it cannot take them away.
#[derive(Clone)]
pub struct Sessions {
    pool: PgPool,
    kept: Kept,
}

type Kept = Arc<Mutex<Vec<PoolConnection<Postgres>>>>;

impl Sessions {
    /// Over connections of this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let kept = Arc::default();
        Self { pool, kept }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// When the pool gives no connection in time, or the server does not answer.
    pub async fn begin(&self) -> sqlx::Result<Session> {
        // A connection that did not survive its server says so now, and another one is there.
        while let Some(mut connection) = self.next_kept() {
            let begun = timeout(ACQUIRE_TIMEOUT, Manager::begin(&mut connection, None));
            match begun.await {
                Ok(Ok(())) => return Ok(self.session(connection)),
                Ok(Err(_)) | Err(_) => connection.close_on_drop(),
            }
        }
        let mut connection = self.pool.acquire().await?;
        Manager::begin(&mut connection, None).await?;
        Ok(self.session(connection))
    }

    fn session(&self, connection: PoolConnection<Postgres>) -> Session {
        Session {
            connection: Some(connection),
            kept: Arc::clone(&self.kept),
        }
    }

    fn next_kept(&self) -> Option<PoolConnection<Postgres>> {
        lock(&self.kept).pop()
    }
}

/// A transaction. Dropped without [`Session::commit`], it rolls back.
pub struct Session {
    /// None once it is over.
    connection: Option<PoolConnection<Postgres>>,
    kept: Kept,
}

impl Session {
    /// Commits. As with any database, an error of the connection leaves open whether the commit took place.
    ///
    /// # Errors
    ///
    /// When the server refuses, or does not answer.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        Manager::commit(&mut self).await?;
        self.keep();
        Ok(())
    }

    /// Rolls back, and waits until it is done.
    ///
    /// # Errors
    ///
    /// When the server does not answer; then it rolls back as soon as it notices.
    pub async fn rollback(mut self) -> sqlx::Result<()> {
        Manager::rollback(&mut self).await?;
        self.keep();
        Ok(())
    }

    fn keep(&mut self) {
        let mut kept = lock(&self.kept);
        if kept.len() < KEPT {
            kept.extend(self.connection.take());
        }
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("a session that is over has been consumed"),
        }
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("a session that is over has been consumed"),
        }
    }
}

impl Drop for Session {
    /// The pool sends what is queued here, and asks whether the connection is alive.
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            Manager::start_rollback(connection);
        }
    }
}

fn lock(kept: &Kept) -> MutexGuard<'_, Vec<PoolConnection<Postgres>>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
