use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

/// A session that is younger is kept, though it is read-only: a new one would be as well, and the server has
/// other things to do than to begin sessions.
const YOUNG: Duration = Duration::from_secs(1);

/// Finds sessions that began while the server took no writes. They may stay so for as long as they live, also
/// when the server, or the one that has taken its place, has long been taking writes again.
#[derive(Clone, Default)]
pub(crate) struct ReadOnlySessions {
    last_began: Arc<Mutex<Option<Instant>>>,
}

impl ReadOnlySessions {
    /// Looks at a session that has just begun.
    pub(crate) async fn began(&self, session: &mut PgConnection) -> sqlx::Result<()> {
        if is_read_only(session).await? {
            let mut last = self
                .last_began
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *last = Some(Instant::now());
        }
        Ok(())
    }

    /// Whether a session of this age may be one of them: none is that began later.
    pub(crate) fn may_be_one(&self, age: Duration) -> bool {
        let last = self
            .last_began
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() <= age + YOUNG)
    }

    /// Whether a session is good enough to be used. One round trip, which fails if the connection is lost. It is a
    /// statement only where the session may be one of them.
    pub(crate) async fn is_usable(
        &self,
        session: &mut PgConnection,
        age: Duration,
    ) -> sqlx::Result<bool> {
        if !self.may_be_one(age) {
            session.ping().await?;
            return Ok(true);
        }
        Ok(!is_read_only(session).await? || age < YOUNG)
    }
}

/// Whether the server, or the session, takes no writes.
pub(crate) async fn is_read_only(session: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select current_setting('transaction_read_only')::boolean")
        .fetch_one(session)
        .await
}
