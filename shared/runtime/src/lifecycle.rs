use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

/// The life of a process: its tasks, the token that asks them to stop, and whether one of them died.
///
/// A process is only as healthy as its sickest task. So a task that ends although nobody asked it
/// to, with an error or by a panic, stops all the others, and the process ends with an error and is
/// started again by whoever supervises it.
#[derive(Clone, Default)]
pub struct Lifecycle {
    token: CancellationToken,
    tracker: TaskTracker,
    running: Arc<Mutex<Vec<&'static str>>>,
    died: Arc<AtomicBool>,
}

impl Lifecycle {
    /// Starts a task that must live as long as the process.
    ///
    /// It is given the token that is cancelled when the process should take no new work, and should
    /// return `Ok` soon after that: take no new work, finish what is in hand. A task that serves others (a batcher fed by HTTP requests) should end
    /// when its channel closes instead, because they still need it while they finish.
    pub fn spawn<T>(&self, name: &'static str, task: impl FnOnce(CancellationToken) -> T)
    where
        T: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let life = self.clone();
        let task = task(life.token());
        life.running().push(name);
        self.tracker.spawn(async move {
            let outcome = AssertUnwindSafe(task).catch_unwind().await;
            life.forget(name);
            let reason = match outcome {
                Ok(Ok(())) if life.token.is_cancelled() => return,
                Ok(Ok(())) => "it ended although nobody asked it to".to_owned(),
                Ok(Err(error)) => format!("{error:#}"),
                Err(panic) => format!("it panicked: {}", panic_message(&*panic)),
            };
            error!(
                task = name,
                error = reason,
                "task {name} died, so the process stops"
            );
            life.died.store(true, Ordering::Relaxed);
            life.stop();
        });
    }

    /// The token that is cancelled when the process should take no new work.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Asks every task to stop.
    pub fn stop(&self) {
        self.token.cancel();
    }

    /// Waits until the process was asked to stop, then until all tasks have ended.
    ///
    /// # Errors
    ///
    /// When a task died, or when some are still running `deadline` after the stop was asked; they
    /// are named.
    pub async fn finish(&self, deadline: Duration) -> anyhow::Result<()> {
        self.token.cancelled().await;
        self.tracker.close();
        if tokio::time::timeout(deadline, self.tracker.wait())
            .await
            .is_err()
        {
            anyhow::bail!(
                "still running {deadline:?} after the stop was asked: {}",
                self.running().join(", ")
            );
        }
        if self.died.load(Ordering::Relaxed) {
            anyhow::bail!("a task died");
        }
        Ok(())
    }

    fn forget(&self, name: &'static str) {
        let mut running = self.running();
        if let Some(index) = running.iter().position(|other| *other == name) {
            running.swap_remove(index);
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text given to `panic!`.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
