use std::time::{Duration, Instant};

use anyhow::ensure;
use database::within_limit;
use jiff::Timestamp;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{PgPool, Postgres};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::Bus;

/// Rows that are looked at in one portion, and the pause behind it: what is removed takes nothing away from those
/// who work, and 10,000 rows a second are more than come.
const PORTION: i64 = 200;
const PAUSE: Duration = Duration::from_millis(20);

/// How often an instance looks whether more has become old.
const INTERVAL: Duration = Duration::from_secs(30);

/// How often it begins again with the oldest row, because what could not go before may go now.
const ROUND: Duration = Duration::from_secs(24 * 3600);

/// The rows that a portion may look at. Ids are UUIDv7, so the oldest rows are the beginning of the primary key, and
/// a place in it says how far one has come.
#[derive(Debug, Clone, Copy)]
pub struct OldRows {
    /// Behind this id,
    pub after: Uuid,
    /// and before this one, the least that a row of `before` can have.
    pub below: Uuid,
    /// What is younger stays.
    pub before: Timestamp,
    /// No more rows than this.
    pub limit: i64,
}

/// Answers how many rows went, and the last one that was looked at.
pub type RemovalQuery = QueryAs<'static, Postgres, (i64, Option<Uuid>), PgArguments>;

/// The statement that removes those of the old rows that may go.
pub type RemoveOld = fn(&OldRows) -> RemovalQuery;

/// Removes old rows of a table of the service, in portions that cost the same however large it is.
///
/// Several instances may do so at once.
#[must_use = "nothing is removed until `run`"]
pub struct Removal {
    pool: PgPool,
    what: &'static str,
    kept: Option<Duration>,
    remove_old: RemoveOld,
}

impl Bus {
    /// Removes rows of a service, `what` they are in logs, that are older than `kept`; nothing without a time.
    pub fn removal(
        &self,
        what: &'static str,
        kept: Option<Duration>,
        remove_old: RemoveOld,
    ) -> Removal {
        Removal {
            pool: self.inner.consuming.pool.clone(),
            what,
            kept,
            remove_old,
        }
    }

    /// Makes sure that effects of messages are kept for as long as the ids of the messages, at least. An effect that is
    /// gone could else be brought about again by a copy of its message.
    ///
    /// # Errors
    ///
    /// When the value of this setting is less than `INBOX_RETENTION`.
    pub fn outlives_inbox(
        &self,
        setting: &'static str,
        kept: Option<Duration>,
    ) -> anyhow::Result<()> {
        let retention = self.inner.args.inbox_retention;
        if let Some(kept) = kept {
            ensure!(
                kept >= retention,
                "{setting} is {kept:?} and has to be INBOX_RETENTION, which is {retention:?}, or more"
            );
        }
        Ok(())
    }
}

impl Removal {
    /// Removes what becomes old, until stopped. The database may come and go.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        if self.kept.is_none() {
            token.cancelled().await;
            return Ok(());
        }
        let what = self.what;
        let (mut after, mut begun) = (Uuid::nil(), Instant::now());
        let mut tick = interval(INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while token.run_until_cancelled(tick.tick()).await.is_some() {
            if begun.elapsed() >= ROUND {
                (after, begun) = (Uuid::nil(), Instant::now());
            }
            match self.go_on(Timestamp::now(), &mut after, &token).await {
                Ok(0) => {}
                Ok(count) => info!(count, "removed {count} old {what}"),
                Err(error) => {
                    let error = error.to_string();
                    warn!(error, "cannot remove old {what}, next try in {INTERVAL:?}");
                }
            }
        }
        Ok(())
    }

    /// Removes once all that is old as of this moment; answers how many rows that were.
    ///
    /// # Errors
    ///
    /// When the database does not answer. What was removed until then is gone.
    pub async fn remove(&self, now: Timestamp, token: &CancellationToken) -> sqlx::Result<i64> {
        self.go_on(now, &mut Uuid::nil(), token).await
    }

    /// Removes what is old and stands behind this id, which moves on with every portion.
    async fn go_on(
        &self,
        now: Timestamp,
        after: &mut Uuid,
        token: &CancellationToken,
    ) -> sqlx::Result<i64> {
        let mut removed = 0;
        let Some(kept) = self.kept else {
            return Ok(removed);
        };
        while !token.is_cancelled() {
            let portion = (self.remove_old)(&OldRows::behind(*after, now, kept));
            let (count, last) = within_limit(portion.fetch_one(&self.pool)).await?;
            removed += count;
            let Some(last) = last else { break };
            *after = last;
            token.run_until_cancelled(sleep(PAUSE)).await;
        }
        Ok(removed)
    }
}

impl OldRows {
    /// The next rows behind this id that are kept for longer than that.
    #[must_use]
    pub fn behind(after: Uuid, now: Timestamp, kept: Duration) -> Self {
        let before = now.checked_sub(kept).unwrap_or(Timestamp::UNIX_EPOCH);
        let milliseconds = u64::try_from(before.as_millisecond()).unwrap_or_default();
        let least = uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]);
        Self {
            after,
            below: least.into_uuid(),
            before,
            limit: PORTION,
        }
    }
}
