//! Acknowledge, requeue, retry later, give up: `cargo run -p first-programs --example ack_and_retry`

mod rabbitmq;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::StreamExt;
use lapin::types::AMQPValue::{self, LongInt, LongString};
use lapin::{BasicProperties, Consumer, message::Delivery, options::*};
use rabbitmq::{declare, publish, table};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<()> {
    let (connection, channel) = rabbitmq::connect().await?;
    // A queue can pass on what it gives up: `work` what is rejected, `waiting` what has been in it
    // for its time. The exchange without a name takes it to the queue that the key names.
    let exchange = || ("x-dead-letter-exchange", LongString("".into()));
    let key = |queue: &str| ("x-dead-letter-routing-key", LongString(queue.into()));
    let dead = declare(&channel, "", []).await?;
    let work = declare(&channel, "", [exchange(), key(&dead)]).await?;
    let time = ("x-message-ttl", LongInt(300));
    let waiting = declare(&channel, "", [exchange(), key(&work), time]).await?;
    let consume = async |queue: &str| {
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue.into(), "".into(), options, table([]));
        consumer.await
    };
    let (mut tasks, mut letters) = (consume(&work).await?, consume(&dead).await?);
    let (plain, ack) = (BasicProperties::default(), BasicAckOptions::default());

    publish(&channel, "", &work, "good", plain.clone()).await?;
    next(&mut tasks).await?.ack(ack).await?;
    println!("1. 'good' is handled and acknowledged: the broker forgets it");

    publish(&channel, "", &work, "bad", plain.clone()).await?;
    let (start, requeue) = (Instant::now(), BasicRejectOptions { requeue: true });
    for _ in 0..100 {
        next(&mut tasks).await?.reject(requeue).await?;
    }
    let time = start.elapsed();
    println!("2. 'bad' fails and is requeued, 100 times in {time:.0?}: a hot loop, because it");
    println!("   comes back at once, whether or not the cause is gone");

    // So let it wait in a queue that nobody consumes, and count. Publish the copy, then acknowledge
    // the original: a crash in between leaves two of them, the other way round it would leave none.
    loop {
        let task = next(&mut tasks).await?;
        let headers = task.properties.headers().clone().unwrap_or_default();
        let attempt = headers.inner().get("attempt");
        let attempt = attempt.and_then(AMQPValue::as_long_int).unwrap_or(1);
        if attempt > 3 {
            task.reject(BasicRejectOptions { requeue: false }).await?;
            println!("4. attempt {attempt} fails: rejected, which makes it a dead letter");
            break;
        }
        let headers = table([("attempt", LongInt(attempt + 1))]);
        let properties = plain.clone().with_headers(headers);
        publish(&channel, "", &waiting, "bad", properties).await?;
        task.ack(ack).await?;
        println!("3. attempt {attempt} fails: again in 300 ms");
    }

    let letter = next(&mut letters).await?;
    let body = String::from_utf8_lossy(&letter.data);
    println!("5. dead letter '{body}': nobody waits for it, somebody can look at it");
    Ok(connection.close(200, "done".into()).await?)
}

async fn next(consumer: &mut Consumer) -> Result<Delivery> {
    let delivery = timeout(Duration::from_secs(10), consumer.next()).await?;
    Ok(delivery.context("the queue is gone")??)
}
