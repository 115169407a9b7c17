use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Database, PgConnection, PgPool, Postgres, SqlSafeStr, pool::PoolConnection,
};
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;

use crate::last_answer::give_back;
use crate::pool::TRIAL;

/// So many connections stay with the sessions instead of going back to the pool.
const KEPT: usize = 4;

/// How long a kept connection has for a transaction that begins with an insertion. Longer than the server lets that
/// wait for the lock of somebody else's row, which is no silence.
const TRIAL_OF_INSERTION: Duration = Duration::from_millis(3_500);

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
        let begun = self.begin_by("begin", TRIAL).await;
        begun.map(|(session, _)| session)
    }

    /// Begins a transaction with an insertion, in one round trip. Where that would violate a unique key, nothing is
    /// inserted, and the answer is `false`.
    ///
    /// The statement is sent as it is, without parameters: only what is safe in SQL may be in it.
    ///
    /// # Errors
    ///
    /// As those of [`begin`](Self::begin), and what else the server finds wrong with the statement.
    pub async fn begin_with(&self, insertion: &str) -> sqlx::Result<(Session, bool)> {
        let statement = format!("begin; {insertion}");
        self.begin_by(&statement, TRIAL_OF_INSERTION).await
    }

    async fn begin_by(&self, statement: &str, limit: Duration) -> sqlx::Result<(Session, bool)> {
        // A connection that did not survive its server says so now, and another one is there.
        while let Some(mut session) = self.next_kept() {
            match timeout(limit, session.begin(statement)).await {
                Ok(Ok(is_whole)) => return Ok((session, is_whole)),
                Ok(Err(error)) if is_of_the_session(&error) => {}
                Ok(Err(error)) => return Err(error),
                // Where nobody answers on one, nobody may answer on the others: the pool has time to ask them.
                Err(_) => lock(&self.kept).clear(),
            }
        }
        let mut session = Session {
            connection: self.pool.acquire().await?,
            kept: Arc::downgrade(&self.kept),
            stage: Stage::Ended,
        };
        let is_whole = session.begin(statement).await?;
        Ok((session, is_whole))
    }

    fn next_kept(&self) -> Option<Session> {
        lock(&self.kept).pop()
    }
}

/// A transaction. Dropped without [`Session::commit`], it rolls back.
pub struct Session {
    connection: PoolConnection<Postgres>,
    kept: Weak<Kept>,
    stage: Stage,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The server was asked to begin it, and has not answered that it did.
    Beginning,
    Open,
    /// It has ended, or was never begun.
    Ended,
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

    /// Whether the statement was carried out as a whole, and not only the transaction begun.
    async fn begin(&mut self, statement: &str) -> sqlx::Result<bool> {
        self.stage = Stage::Beginning;
        let is_whole = match self.try_begin(statement).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                self.try_begin("rollback; begin").await?;
                false
            }
            begun => begun.map(|()| true)?,
        };
        self.stage = Stage::Open;
        Ok(is_whole)
    }

    async fn try_begin(&mut self, statement: &str) -> sqlx::Result<()> {
        let statement = AssertSqlSafe(statement).into_sql_str();
        Manager::begin(&mut self.connection, Some(statement)).await
    }

    /// For the next transaction, if there is room; otherwise the connection goes back to the pool.
    fn keep(mut self) {
        self.stage = Stage::Ended;
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
    ///
    /// Whoever gave up while it began has to close the connection. The transaction may begin all the same, and
    /// whoever were given the connection next would commit its insertion.
    fn drop(&mut self) {
        match self.stage {
            Stage::Beginning => return self.connection.close_on_drop(),
            Stage::Open => Manager::start_rollback(&mut self.connection),
            Stage::Ended => {}
        }
        tokio::spawn(give_back(&mut self.connection));
    }
}

/// Whether the same may succeed on another connection: this one is lost, or began while the server took no writes.
fn is_of_the_session(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return true;
    };
    let is_one = |code: &str| {
        ["08", "25", "57P"]
            .iter()
            .any(|class| code.starts_with(class))
    };
    error.code().is_some_and(|code| is_one(&code))
}

fn lock(kept: &Kept) -> MutexGuard<'_, Vec<Session>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
