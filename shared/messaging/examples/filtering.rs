//! RabbitMQ filters by header, Kafka lets the consumer: `cargo run -p first-programs --example filtering`

mod kafka;
mod rabbitmq;

use anyhow::Result;
use kafka::{Topic, consumer, receive};
use lapin::types::{AMQPValue::LongString, FieldTable};
use lapin::{BasicProperties, ExchangeKind, options::*};
use rabbitmq::{declare, publish, table};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::FutureRecord;

/// The headers `channel` and `tier` of each message.
const SENT: [[&str; 2]; 3] = [["email", "vip"], ["sms", "vip"], ["sms", "basic"]];

#[tokio::main]
async fn main() -> Result<()> {
    broker_filters().await?;
    let topic = Topic::create("filtering", 1).await?;
    let done = consumer_filters(&topic).await;
    topic.delete().await?;
    done
}

/// A headers exchange ignores the routing key. It compares headers: `all` of a binding's, or `any`.
async fn broker_filters() -> Result<()> {
    let (connection, channel) = rabbitmq::connect().await?;
    for x_match in ["all", "any"] {
        let name = format!("filtering.{}", uuid::Uuid::now_v7());
        let (kind, mut options) = (ExchangeKind::Headers, ExchangeDeclareOptions::default());
        options.auto_delete = true;
        let declaring = channel.exchange_declare(name.as_str().into(), kind, options, table([]));
        declaring.await?;
        let queue = declare(&channel, "", []).await?;
        let (from, to, options) = (name.as_str(), queue.as_str(), QueueBindOptions::default());
        let mut wanted = headers(["email", "vip"]);
        wanted.insert("x-match".into(), LongString(x_match.into()));
        let binding = channel.queue_bind(to.into(), from.into(), "".into(), options, wanted);
        binding.await?;

        for sent in SENT {
            let properties = BasicProperties::default().with_headers(headers(sent));
            publish(&channel, from, "", &sent.join("/"), properties).await?;
        }
        let (mut delivered, no_ack) = (Vec::new(), BasicGetOptions { no_ack: true });
        while let Some(message) = channel.basic_get(to.into(), no_ack).await? {
            delivered.push(String::from_utf8(message.delivery.data)?);
        }
        println!("RabbitMQ, {x_match} of email and vip: delivered {delivered:?}");
    }
    Ok(connection.close(200, "done".into()).await?)
}

fn headers([channel, tier]: [&str; 2]) -> FieldTable {
    let text = |text: &str| LongString(text.into());
    table([("channel", text(channel)), ("tier", text(tier))])
}

/// A Kafka broker does not look into records, it hands out ranges of offsets, which makes it fast.
/// Every consumer is sent everything and throws away what it does not want.
async fn consumer_filters(topic: &Topic) -> Result<()> {
    for sent in SENT {
        let (key, value, body) = ("tier", Some(sent[1]), sent.join("/"));
        let headers = OwnedHeaders::new().insert(Header { key, value });
        let record = FutureRecord::to(&topic.name).payload(&body);
        topic.send(record.headers(headers)).await?;
    }
    let is_vip = |h: Header<'_, &[u8]>| h.key == "tier" && h.value == Some(b"vip");
    let (consumer, mut kept) = (consumer(topic, "vip")?, Vec::new());
    for _ in SENT {
        let record = receive(&consumer).await?;
        if record.headers().is_some_and(|h| h.iter().any(is_vip)) {
            kept.push(String::from_utf8_lossy(record.payload().unwrap_or_default()).into_owned());
        }
    }
    println!("Kafka, tier = vip: delivered {}, kept {kept:?}", SENT.len());
    Ok(())
}
