use std::sync::Arc;
use std::time::Duration;

use database::within_limit;
use messaging::{Replay, Replayer};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::pace::every;
use crate::store::{self, Due, Progress};

/// How often a job is looked at.
const INTERVAL: Duration = Duration::from_millis(100);
/// How often jobs are looked for that other instances have been given.
const LOOK: Duration = Duration::from_secs(1);
/// No more letters are published at once.
const WINDOW: i64 = 200;
/// A job halts when so many of its letters have failed again.
const PATIENCE: i64 = 5;

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

    /// Replays letters until stopped. Each job belongs to one instance at a time, for as long as one portion takes:
    /// letters are published, and then marked, in one transaction. A crash between the two publishes them once more,
    /// and their consumer takes them once.
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
            loop {
                match self.round(&pool, &mut replayer).await {
                    Ok(true) => {
                        tick.tick().await;
                    }
                    Ok(false) => {
                        tokio::time::timeout(LOOK, self.wake.notified()).await.ok();
                    }
                    Err(error) => {
                        let error = format!("{error:#}");
                        debug!(error, "letters are not replayed now");
                        tokio::time::sleep(LOOK).await;
                    }
                }
            }
        };
        token.run_until_cancelled(working).await;
        Ok(())
    }

    /// Moves all jobs on. Whether there are any.
    async fn round(&self, pool: &PgPool, replayer: &mut Replayer) -> anyhow::Result<bool> {
        within_limit(store::settle_replays(pool)).await?;
        let jobs = within_limit(store::running_jobs(pool)).await?;
        for job in &jobs {
            move_on(pool, replayer, *job).await?;
        }
        Ok(!jobs.is_empty())
    }
}

/// One portion of a job.
async fn move_on(pool: &PgPool, replayer: &mut Replayer, job: Uuid) -> anyhow::Result<()> {
    let mut tx = within_limit(pool.begin()).await?;
    if !store::try_lock(&mut tx, job).await? {
        return Ok(());
    }
    let Some(progress) = store::progress(&mut tx, job).await? else {
        return Ok(());
    };
    match next(progress) {
        Next::Wait => return Ok(()),
        Next::End => store::end_job(&mut tx, job).await?,
        Next::Halt(why) => store::halt_job(&mut tx, job, &why).await?,
        Next::Publish(count) => {
            let due = store::due(&mut tx, job, count).await?;
            let replays: Vec<_> = due.into_iter().map(Outgoing::new).collect();
            let messages: Vec<_> = replays
                .iter()
                .map(|outgoing| outgoing.replay.clone())
                .collect();
            let published = replayer.publish(&messages).await?;
            let refused = published
                .iter()
                .find_map(|published| published.as_ref().err());
            let sent = replays.iter().zip(&published);
            let sent: Vec<_> = sent.filter(|(_, published)| published.is_ok()).collect();
            let column = |value: fn(&Outgoing) -> &Vec<u8>| {
                sent.iter()
                    .map(|(outgoing, _)| value(outgoing).clone())
                    .collect::<Vec<_>>()
            };
            let positions: Vec<_> = sent.iter().map(|(outgoing, _)| outgoing.position).collect();
            let (traces, spans) = (column(|sent| &sent.trace_id), column(|sent| &sent.span_id));
            store::released(&mut tx, job, &positions, &traces, &spans).await?;
            if let Some(reason) = refused {
                warn!(
                    reason,
                    "a job halts, because a queue does not take its letters"
                );
                store::halt_job(&mut tx, job, reason).await?;
            }
        }
    }
    within_limit(tx.commit()).await?;
    Ok(())
}

/// What a job has to do now.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Nothing yet.
    Wait,
    /// At most so many letters may go.
    Publish(i64),
    /// It should not go on by itself.
    Halt(String),
    /// It is done.
    End,
}

/// The first letter goes alone, and the others when it is known what became of it.
fn next(progress: Progress) -> Next {
    let Progress {
        may_go,
        waiting,
        open,
        known,
        failed,
    } = progress;
    let is_first_known = known > 0;
    if waiting == 0 {
        return if open == 0 { Next::End } else { Next::Wait };
    }
    if failed == known && failed == 1 && open == 0 {
        return Next::Halt("the first letter has failed again".to_owned());
    }
    if failed >= PATIENCE {
        return Next::Halt(format!("{failed} letters have failed again"));
    }
    match (is_first_known, open) {
        (false, 0) => Next::Publish(1.min(may_go)).unless_none(),
        (false, _) => Next::Wait,
        (true, _) => Next::Publish(may_go.min(WINDOW)).unless_none(),
    }
}

impl Next {
    fn unless_none(self) -> Self {
        match self {
            Self::Publish(..=0) => Self::Wait,
            other => other,
        }
    }
}

/// A letter with the trace by which its outcome will be known.
struct Outgoing {
    position: i32,
    trace_id: Vec<u8>,
    span_id: Vec<u8>,
    replay: Replay,
}

impl Outgoing {
    fn new(due: Due) -> Self {
        // The second half of a UUID is random.
        let (trace, (_, span)) = (Uuid::now_v7(), Uuid::now_v7().as_u64_pair());
        let (trace_id, span_id) = (trace.as_bytes().to_vec(), span.to_be_bytes().to_vec());
        Self {
            position: due.position,
            replay: Replay {
                letter: due.letter_id,
                queue: due.target,
                message_id: due.message_id,
                message_type: due.message_type,
                written: due.written,
                source: due.producer,
                // Sampled, so that every consumer tells what it does with it.
                traceparent: format!("00-{}-{span:016x}-01", trace.simple()),
                body: due.body,
            },
            trace_id,
            span_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_sends_one_letter_ahead_and_halts_when_letters_fail_again() {
        let progress = |may_go, waiting, open, known, failed| Progress {
            may_go,
            waiting,
            open,
            known,
            failed,
        };
        let halt = |why: &str| Next::Halt(why.to_owned());
        for (progress, expected) in [
            (progress(100, 10, 0, 0, 0), Next::Publish(1)),
            (progress(0, 10, 0, 0, 0), Next::Wait),
            (progress(100, 9, 1, 0, 0), Next::Wait),
            (
                progress(100, 9, 0, 1, 1),
                halt("the first letter has failed again"),
            ),
            (progress(3, 9, 0, 1, 0), Next::Publish(3)),
            (progress(10_000, 9, 5, 1, 0), Next::Publish(WINDOW)),
            (progress(3, 9, 2, 9, 4), Next::Publish(3)),
            (progress(3, 9, 2, 9, 5), halt("5 letters have failed again")),
            (progress(3, 0, 2, 9, 5), Next::Wait),
            (progress(3, 0, 0, 9, 5), Next::End),
        ] {
            assert_eq!(next(progress), expected, "{progress:?}");
        }
    }
}
