use std::sync::Arc;
use std::time::Duration;

use database::within_limit;
use messaging::{Replay, Replayer};
use runtime::telemetry::instance_id;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use super::next::{Next, next};
use crate::pace::every;
use crate::store::{self, Due};

/// How often a job is looked at.
const INTERVAL: Duration = Duration::from_millis(100);
/// How often jobs are looked for that other instances have been given.
const LOOK: Duration = Duration::from_secs(5);
/// Before another attempt where the database does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Replays letters, job by job; clones share it.
#[derive(Clone, Default)]
pub struct Replaying {
    /// There is something new to do.
    wake: Arc<Notify>,
}

impl Replaying {
    /// A job was added or changed.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Replays letters until stopped. Each job belongs to one instance at a time, by a lease that outlasts a portion:
    /// letters are published, and then marked. A crash between the two publishes them once more, and their consumer
    /// takes them once.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub async fn run(
        self,
        pool: PgPool,
        mut replayer: Replayer,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let working = async {
            let mut tick = every(INTERVAL);
            while let Err(error) = begin(&pool).await {
                let error = error.to_string();
                debug!(error, "letters are not replayed yet");
                tokio::time::sleep(PAUSE).await;
            }
            loop {
                match round(&pool, &mut replayer).await {
                    Ok(true) => {
                        tick.tick().await;
                    }
                    Ok(false) => {
                        tokio::time::timeout(LOOK, self.wake.notified()).await.ok();
                    }
                    Err(error) => {
                        let error = error.to_string();
                        debug!(error, "what becomes of replays is unknown");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        };
        token.run_until_cancelled(working).await;
        Ok(())
    }
}

/// What was on its way when the process before this one ended goes once more, unless its outcome is known.
async fn begin(pool: &PgPool) -> sqlx::Result<()> {
    within_limit(store::settle_replays(pool)).await?;
    within_limit(store::send_again(pool)).await
}

/// Moves all jobs on. Whether there are any.
async fn round(pool: &PgPool, replayer: &mut Replayer) -> sqlx::Result<bool> {
    let (may_settle, jobs) = within_limit(store::replays_at_work(pool)).await?;
    if may_settle {
        within_limit(store::settle_replays(pool)).await?;
    }
    for job in &jobs {
        // One that cannot go on keeps no other from it.
        if let Err(error) = move_on(pool, replayer, *job).await {
            let error = format!("{error:#}");
            warn!(error, "job {job} does not go on for now");
        }
    }
    Ok(!jobs.is_empty())
}

/// One portion of a job.
async fn move_on(pool: &PgPool, replayer: &mut Replayer, job: Uuid) -> anyhow::Result<()> {
    if !within_limit(store::lease_job(pool, job, instance_id())).await? {
        return Ok(());
    }
    let Some(progress) = within_limit(store::progress(pool, job)).await? else {
        return Ok(());
    };
    match next(progress) {
        Next::Wait => {}
        Next::End => within_limit(store::end_job(pool, job)).await?,
        Next::Halt(why) => within_limit(store::halt_job(pool, job, &why)).await?,
        Next::Publish(count) => publish(pool, replayer, job, count).await?,
    }
    Ok(())
}

async fn publish(
    pool: &PgPool,
    replayer: &mut Replayer,
    job: Uuid,
    count: i64,
) -> anyhow::Result<()> {
    let due = within_limit(store::due(pool, job, count)).await?;
    let (marks, replays): (Vec<_>, Vec<_>) = due.into_iter().map(replay).unzip();
    let published = replayer.publish(&replays).await?;
    let sent = marks.iter().zip(&published);
    let sent = sent.filter(|(_, published)| published.is_ok());
    let sent: Vec<_> = sent.map(|(mark, _)| mark).collect();
    let positions: Vec<_> = sent.iter().map(|mark| mark.position).collect();
    let traces: Vec<_> = sent.iter().map(|mark| mark.trace_id.clone()).collect();
    let spans: Vec<_> = sent.iter().map(|mark| mark.span_id.clone()).collect();
    within_limit(store::released(pool, job, &positions, &traces, &spans)).await?;
    if let Some(reason) = published
        .iter()
        .find_map(|published| published.as_ref().err())
    {
        warn!(reason, "job {job} halts");
        within_limit(store::halt_job(pool, job, reason)).await?;
    }
    Ok(())
}

/// What is noted of a letter once it is published.
struct Mark {
    position: i32,
    /// By these its outcome will be known.
    trace_id: Vec<u8>,
    span_id: Vec<u8>,
}

fn replay(due: Due) -> (Mark, Replay) {
    // The second half of a UUID is random.
    let (trace, (_, span)) = (Uuid::now_v7(), Uuid::now_v7().as_u64_pair());
    let mark = Mark {
        position: due.position,
        trace_id: trace.as_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
    };
    let replay = Replay {
        letter: due.letter_id,
        doubt: due.doubt,
        queue: due.target,
        message_id: due.message_id,
        message_type: due.message_type,
        written: due.written,
        source: due.producer,
        // Sampled, so that every consumer tells what it does with it.
        traceparent: format!("00-{}-{span:016x}-01", trace.simple()),
        body: due.body,
    };
    (mark, replay)
}
