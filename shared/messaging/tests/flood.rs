//! However much waits at a broker, a consumer takes only a little of it. This is a process of its own,
//! because its memory is what is looked at.
//!
//! `FLOOD=1000000` makes the flood larger than the hundred thousand messages of 1 KiB that it is otherwise.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use contracts::Message as _;
use futures::future::try_join_all;
use messaging::{BatchHandler, Failure, Received, Tx};
use sqlx::PgPool;
use uuid::Uuid;

#[path = "it/common/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the other tests use the rest")]
mod common;

use common::{Parcel, QUEUE, Stage, cloud_event, headers, parcel};

/// What is written at once.
const PORTION: usize = 1_000;
/// By how much the memory of the process may grow, in KiB: a part of the flood.
const LIMIT: usize = 48 * 1024;

/// Messages of 4 MiB, fewer than a consumer takes ahead.
const LARGE: u32 = 40;
const LARGE_SIZE: usize = 4 * 1024 * 1024;
/// The same for these 160 MiB, of which there are copies while they become dead letters.
const LIMIT_OF_LARGE: usize = 80 * 1024;

#[sqlx::test(migrations = false)]
async fn a_flood_at_a_broker_is_worked_off_in_little_memory(pool: PgPool) -> anyhow::Result<()> {
    let flood = std::env::var("FLOOD").map_or(Ok(100_000), |flood| flood.parse())?;
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(8).await?;
    let body = serde_json::to_vec(&parcel("x".repeat(1_000), 1))?;

    stage.rabbitmq.declare(QUEUE).await?;
    for _ in 0..flood / PORTION {
        let sent = (0..PORTION).map(|_| {
            let event = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
            stage.rabbitmq.send(QUEUE, event, &body)
        });
        // One after the other on their way, all of them at once for their confirms.
        try_join_all(sent).await?;
    }
    let consumer = stage.bus.queue(QUEUE).batch(200).concurrency(2);
    let queue = worked_off(flood, |counter| {
        stage.start(|token| consumer.run("count", counter, token))
    });
    let queue = queue.await.context("queue")?;

    for number in 0..flood / PORTION {
        let partition = i32::try_from(number % 8)?;
        let sent = (0..PORTION).map(async |_| {
            let id = Uuid::now_v7().to_string();
            let headers = headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)]);
            topic.send(partition, "key", headers, &body).await
        });
        try_join_all(sent).await?;
    }
    let consumer = stage.bus.topic(topic.topic).batch(500);
    let topic = worked_off(flood, |counter| {
        stage.start(|token| consumer.run("count", counter, token))
    });
    let topic = topic.await.context("topic")?;

    let large = large_dead_letters(&stage).await.context("large")?;

    println!("{flood} messages: the queue took {queue} KiB of memory, the topic {topic} KiB");
    println!("{LARGE} messages of 4 MiB took {large} KiB");
    assert!(queue < LIMIT && topic < LIMIT, "{queue} {topic}");
    assert!(large < LIMIT_OF_LARGE, "{large}");
    stage.end().await
}

/// Has large messages become dead letters that nobody can read; returns by how much that has raised the memory.
async fn large_dead_letters(stage: &Stage) -> anyhow::Result<usize> {
    let body = vec![b'x'; LARGE_SIZE];
    for _ in 0..LARGE {
        let event = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
        stage.rabbitmq.send(QUEUE, event, &body).await?;
    }
    let consumer = stage.bus.queue(QUEUE).batch(200);
    let counter = Count(Arc::default());
    forget_the_peak()?;
    let before = memory("VmRSS")?;
    let running = stage.start(|token| consumer.run("count", counter, token));
    for count in 1..=LARGE {
        common::eventually("one more dead letter", async || {
            let letters = stage.rabbitmq.size("dead-letters").await?;
            Ok((letters >= count).then_some(()))
        })
        .await?;
    }
    let peak = memory("VmHWM")?;
    running.stop().await?;
    Ok(peak.saturating_sub(before))
}

/// Starts a consumer and waits until it has handled so many messages; returns by how much that has raised
/// the memory of this process, in KiB.
async fn worked_off(
    flood: usize,
    start: impl FnOnce(Count) -> common::stage::Running,
) -> anyhow::Result<usize> {
    let count = Arc::new(AtomicUsize::new(0));
    forget_the_peak()?;
    let before = memory("VmRSS")?;
    let running = start(Count(Arc::clone(&count)));
    while count.load(Ordering::Relaxed) < flood / PORTION * PORTION {
        let seen = count.load(Ordering::Relaxed);
        common::eventually("more messages", async || {
            Ok((count.load(Ordering::Relaxed) > seen).then_some(()))
        })
        .await?;
    }
    let peak = memory("VmHWM")?;
    running.stop().await?;
    Ok(peak.saturating_sub(before))
}

/// Counts what it handles.
struct Count(Arc<AtomicUsize>);

impl BatchHandler for Count {
    type Message = Parcel;

    async fn handle_batch(&self, _: &mut Tx, batch: &[Received<Parcel>]) -> Result<(), Failure> {
        self.0.fetch_add(batch.len(), Ordering::Relaxed);
        Ok(())
    }
}

fn forget_the_peak() -> anyhow::Result<()> {
    // See proc(5).
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

/// A line of what Linux says about the memory of this process, in KiB.
fn memory(field: &str) -> anyhow::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(figure.context("no such line")?.parse()?)
}
