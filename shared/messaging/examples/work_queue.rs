//! Two workers share a queue, with prefetch 1 and 100: `cargo run -p first-programs --example work_queue`

mod rabbitmq;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::StreamExt;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, Consumer, options::*};
use rabbitmq::{declare, publish};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const TASKS: usize = 60;
/// How long each of the workers needs for a task. Sleeping stands in for the work.
const WORKERS: [(&str, Duration); 2] = [
    ("fast", Duration::from_millis(2)),
    ("slow", Duration::from_millis(20)),
];

#[tokio::main]
async fn main() -> Result<()> {
    let (connection, channel) = rabbitmq::connect().await?;
    share(&connection, &channel, 1).await?;
    println!("  Whoever is free gets the next task, and then waits for the one after it.");
    share(&connection, &channel, 100).await?;
    println!("  Nobody waits for the broker, which pays when tasks are short. Here they are not,");
    println!("  and half of them sit with the slow worker while the fast one has nothing to do.");
    connection.close(200, "done".into()).await?;
    Ok(())
}

async fn share(connection: &Connection, channel: &Channel, prefetch: u16) -> Result<()> {
    let queue = declare(channel, "", []).await?;
    let (done, mut finished) = unbounded_channel();
    let mut workers = JoinSet::new();
    for (name, effort) in WORKERS {
        let channel = connection.create_channel().await?;
        // So many deliveries may be unacknowledged, by default any number.
        channel
            .basic_qos(prefetch, BasicQosOptions::default())
            .await?;
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let tasks = channel
            .basic_consume(queue.as_str().into(), "".into(), options, none)
            .await?;
        workers.spawn(work(tasks, name, effort, done.clone()));
    }

    let start = Instant::now();
    for _ in 0..TASKS {
        publish(channel, "", &queue, "task", BasicProperties::default()).await?;
    }
    let mut by_fast = 0;
    for _ in 0..TASKS {
        let name = timeout(Duration::from_secs(20), finished.recv()).await;
        by_fast += usize::from(name?.context("the workers are gone")? == "fast");
    }
    let (by_slow, time) = (TASKS - by_fast, start.elapsed());
    println!("prefetch {prefetch}: {by_fast} tasks done by fast, {by_slow} by slow, in {time:.0?}");
    Ok(())
}

async fn work(
    mut tasks: Consumer,
    name: &'static str,
    effort: Duration,
    done: UnboundedSender<&'static str>,
) -> Result<()> {
    while let Some(task) = tasks.next().await {
        sleep(effort).await;
        task?.ack(BasicAckOptions::default()).await?;
        done.send(name)?;
    }
    Ok(())
}
