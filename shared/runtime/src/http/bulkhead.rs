use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use database::give_back;
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Problem;

/// How long a request waits for its turn. Longer waiting helps nobody: whoever is refused may come again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The part of a pool that requests of one kind may use.
///
/// However many of them arrive, whatever else the process does keeps its connections, and the time that so many
/// requests at once would take from it.
#[derive(Clone)]
pub struct Bulkhead {
    pool: PgPool,
    places: Arc<Semaphore>,
}

/// A connection of that part, which is given back when this is dropped.
pub struct Reading {
    connection: PoolConnection<Postgres>,
    /// Always there, until this is dropped.
    place: Option<OwnedSemaphorePermit>,
}

impl Bulkhead {
    /// So many of every ten connections that the pool may have, and one at least.
    #[must_use]
    pub fn new(pool: &PgPool, of_ten: u32) -> Self {
        let most = pool.options().get_max_connections();
        let places = (u64::from(most) * u64::from(of_ten) / 10).max(1);
        let places = Semaphore::new(usize::try_from(places).unwrap_or(1));
        Self {
            pool: pool.clone(),
            places: Arc::new(places),
        }
    }

    /// A connection, as soon as one of the part is free.
    ///
    /// # Errors
    ///
    /// 503 when none is free for a second, or when the database gives none.
    pub async fn connection(&self) -> Result<Reading, Problem> {
        let place = Arc::clone(&self.places).acquire_owned();
        let Ok(Ok(place)) = timeout(PATIENCE, place).await else {
            return Err(Problem::unavailable(
                "too many requests like this one arrive at once, try again shortly",
                1,
            ));
        };
        let connection = self.pool.acquire().await?;
        Ok(Reading {
            connection,
            place: Some(place),
        })
    }
}

impl Drop for Reading {
    /// The place is free once the connection is. Whoever goes away in the middle of a query leaves one behind that is
    /// busy with it.
    fn drop(&mut self) {
        let (returned, place) = (give_back(&mut self.connection), self.place.take());
        tokio::spawn(async move {
            returned.await;
            drop(place);
        });
    }
}

impl Deref for Reading {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
