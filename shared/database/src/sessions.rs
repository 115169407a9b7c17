use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sqlx::{Database, PgConnection, PgPool, Postgres, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;

use crate::pool::TRIAL;

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
    kept: Arc<Kept>,
}

/// Sessions between two transactions; the last one is the next.
type Kept = Mutex<Vec<Session>>;

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
        while let Some(mut session) = self.next_kept() {
            match timeout(TRIAL, session.begin()).await {
                Ok(Ok(())) => return Ok(session),
                Ok(Err(_)) => session.connection.close_on_drop(),
                // Where nobody answers on one, nobody may answer on the others: the pool has time to ask them.
                Err(_) => {
                    session.connection.close_on_drop();
                    lock(&self.kept).clear();
                }
            }
        }
        let mut session = Session {
            connection: self.pool.acquire().await?,
            kept: Arc::downgrade(&self.kept),
            is_open: false,
        };
        session.begin().await?;
        Ok(session)
    }

    fn next_kept(&self) -> Option<Session> {
        lock(&self.kept).pop()
    }
}

/// A transaction. Dropped without [`Session::commit`], it rolls back.
pub struct Session {
    connection: PoolConnection<Postgres>,
    kept: Weak<Kept>,
    is_open: bool,
}

impl Session {
    /// Commits. As with any database, an error of the connection leaves open whether the commit took place.
    ///
    /// # Errors
    ///
    /// When the server refuses, or does not answer.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        Manager::commit(&mut self.connection).await?;
        self.keep();
        Ok(())
    }

    /// Rolls back, and waits until it is done.
    ///
    /// # Errors
    ///
    /// When the server does not answer; then it rolls back as soon as it notices.
    pub async fn rollback(mut self) -> sqlx::Result<()> {
        Manager::rollback(&mut self.connection).await?;
        self.keep();
        Ok(())
    }

    async fn begin(&mut self) -> sqlx::Result<()> {
        Manager::begin(&mut self.connection, None).await?;
        self.is_open = true;
        Ok(())
    }

    /// For the next transaction, if there is room; otherwise the connection goes back to the pool.
    fn keep(mut self) {
        self.is_open = false;
        if let Some(kept) = self.kept.upgrade() {
            let mut kept = lock(&kept);
            if kept.len() < KEPT {
                kept.push(self);
            }
        }
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Session {
    /// The pool sends what is queued here, and asks whether the connection is alive.
    fn drop(&mut self) {
        if self.is_open {
            Manager::start_rollback(&mut self.connection);
        }
    }
}

fn lock(kept: &Kept) -> MutexGuard<'_, Vec<Session>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
