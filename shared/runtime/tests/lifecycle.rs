//! One dead task stops the process; a stop waits for the tasks, but not for ever.
#![expect(clippy::panic, reason = "a task that panics is what one test is about")]

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, anyhow};
use runtime::Lifecycle;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(5);

async fn obedient(token: CancellationToken) -> Result<()> {
    token.cancelled().await;
    Ok(())
}

/// Spawns the given task beside one that obeys the token, and says how the process ended.
async fn ending_with(task: impl Future<Output = Result<()>> + Send + 'static) -> String {
    let life = Lifecycle::default();
    life.spawn("obedient", obedient);
    life.spawn("suspect", |_| task);
    life.finish(DEADLINE)
        .await
        .map_or_else(|error| error.to_string(), |()| "well".to_owned())
}

#[tokio::test]
async fn a_task_that_fails_stops_the_process() {
    assert_eq!(
        ending_with(async { Err(anyhow!("out of luck")) }).await,
        "a task died"
    );
}

#[tokio::test]
async fn a_task_that_panics_stops_the_process() {
    assert_eq!(
        ending_with(async { panic!("out of luck") }).await,
        "a task died"
    );
}

#[tokio::test]
async fn a_task_that_ends_unasked_stops_the_process() {
    assert_eq!(ending_with(async { Ok(()) }).await, "a task died");
}

#[tokio::test]
async fn a_stop_waits_for_what_tasks_have_in_hand() -> Result<()> {
    let life = Lifecycle::default();
    let finished = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&finished);
    life.spawn("worker", async move |token: CancellationToken| {
        token.cancelled().await;
        tokio::task::yield_now().await;
        done.store(true, Ordering::SeqCst);
        Ok(())
    });
    life.stop();
    life.finish(DEADLINE).await?;
    assert!(finished.load(Ordering::SeqCst));
    Ok(())
}

#[tokio::test]
async fn a_task_that_fails_while_stopping_is_an_error_too() {
    let life = Lifecycle::default();
    life.spawn("worker", async |token: CancellationToken| {
        token.cancelled().await;
        Err(anyhow!("could not finish"))
    });
    life.stop();
    assert!(life.finish(DEADLINE).await.is_err());
}

#[tokio::test]
async fn tasks_that_outlive_the_deadline_are_named() {
    let life = Lifecycle::default();
    life.spawn("stubborn", |_| pending());
    life.spawn("obedient", obedient);
    life.stop();
    let error = life
        .finish(Duration::from_millis(50))
        .await
        .err()
        .map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("still running 50ms after the stop was asked: stubborn")
    );
}
