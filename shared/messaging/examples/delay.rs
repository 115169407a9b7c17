//! Messages that arrive later, and a trap: `cargo run -p first-programs --example delay`

mod rabbitmq;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::StreamExt;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Consumer, options::*};
use rabbitmq::{declare, publish};
use tokio::time::timeout;

const DELAYS_MS: [i32; 2] = [1500, 300];

#[tokio::main]
async fn main() -> Result<()> {
    let (connection, channel) = rabbitmq::connect().await?;
    let target = declare(&channel, "", []).await?;
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut arrivals = channel
        .basic_consume(target.as_str().into(), "".into(), options, none)
        .await?;
    // Nobody consumes from a queue with these arguments. A message stays until its time is up, then
    // the broker passes it on as a dead letter, by the exchange without a name to the target.
    let text = |value: &str| AMQPValue::LongString(value.into());
    let exchange = || ("x-dead-letter-exchange", text(""));
    let key = || ("x-dead-letter-routing-key", text(&target));

    // The trap: only the head of a queue can leave it, so the short delay waits behind the long one.
    println!("one queue, with a time on each message:");
    let start = Instant::now();
    let waiting = declare(&channel, "", [exchange(), key()]).await?;
    for delay in DELAYS_MS {
        let properties = BasicProperties::default().with_expiration(delay.to_string().into());
        publish(&channel, "", &waiting, &format!("{delay} ms"), properties).await?;
    }
    show(&mut arrivals, start).await?;

    // Where all messages wait equally long, the head is always the next to leave.
    println!("a queue for each delay:");
    let start = Instant::now();
    for delay in DELAYS_MS {
        let time = ("x-message-ttl", AMQPValue::LongInt(delay));
        let waiting = declare(&channel, "", [exchange(), key(), time]).await?;
        let (body, properties) = (format!("{delay} ms"), BasicProperties::default());
        publish(&channel, "", &waiting, &body, properties).await?;
    }
    show(&mut arrivals, start).await?;
    connection.close(200, "done".into()).await?;
    Ok(())
}

async fn show(arrivals: &mut Consumer, start: Instant) -> Result<()> {
    for _ in DELAYS_MS {
        let delivery = timeout(Duration::from_secs(10), arrivals.next()).await;
        let delivery = delivery
            .context("nothing arrives")?
            .context("the queue is gone")??;
        let (body, ms) = (
            String::from_utf8_lossy(&delivery.data),
            start.elapsed().as_millis(),
        );
        println!("  delay of {body}: arrived after {ms} ms");
        delivery.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}
