//! The clients that send bytes which no library lets one send. They need the brokers of a running system.

use std::time::Duration;

use anyhow::{Result, ensure};
use contracts::topology::Topic;
use harness::{
    Management, RawAmqp, RawMessage, RawRecord, RawValue, TopicWriter, header, http_client,
    read_all,
};
use rdkafka::{Message, Offset};
use reqwest::Method;
use serde_json::{Value, json};

const QUEUE: &str = "e2e.foreign";
const TOPIC: Topic = Topic {
    name: "e2e-foreign",
    partitions: 1,
    compacted: false,
};
const FF: &[u8] = b"\xFF";

#[tokio::test]
async fn a_raw_message_arrives_with_every_byte() -> Result<()> {
    let rabbitmq = Management::new(http_client(Duration::from_secs(15))?)?;
    let path = format!("queues/{}/{QUEUE}", rabbitmq.vhost());
    let queue = json!({"durable": true, "arguments": {"x-expires": 60_000}});
    rabbitmq
        .call::<Value>(Method::PUT, &path, Some(queue))
        .await?;
    let message = RawMessage {
        message_id: b"id".to_vec(),
        message_type: b"type".to_vec(),
        headers: vec![
            (b"bytes".to_vec(), RawValue::Text(FF.to_vec())),
            (b"nested".to_vec(), RawValue::Nested(3)),
        ],
        body: b"body".to_vec(),
    };
    let mut client = RawAmqp::connect().await?;
    client.publish(QUEUE, &message).await?;
    client.publish(QUEUE, &message).await?;

    let take = json!({"count": 2, "ackmode": "ack_requeue_false", "encoding": "auto"});
    let taken: Value = rabbitmq
        .call(Method::POST, &format!("{path}/get"), Some(take))
        .await?;
    for number in 0..2 {
        let found = &taken[number];
        assert_eq!(found["payload"], "body", "{taken}");
        let properties = &found["properties"];
        assert_eq!(properties["message_id"], "id");
        assert_eq!(properties["type"], "type");
        let innermost = &properties["headers"]["nested"]["in"]["in"]["in"];
        assert!(innermost.is_null() || innermost == "undefined", "{taken}");
        // How the broker shows that it is not UTF-8.
        assert_eq!(properties["headers"]["bytes"], "Not UTF-8, base64 is: /w==");
    }
    rabbitmq.call::<Value>(Method::DELETE, &path, None).await?;
    Ok(())
}

#[tokio::test]
async fn a_raw_record_arrives_and_its_readable_headers_can_be_read() -> Result<()> {
    // By a usual one the topic comes into being.
    let writer = TopicWriter::connect()?;
    let place = (TOPIC.name, 0);
    writer.write(place, "usual", &[], b"usual").await?;
    let large = vec![b'x'; 60_000];
    let record = RawRecord {
        key: FF.to_vec(),
        headers: vec![
            (FF.to_vec(), b"name".to_vec()),
            (b"bytes".to_vec(), FF.to_vec()),
            (b"large".to_vec(), large.clone()),
            (b"ce_id".to_vec(), b"id".to_vec()),
        ],
        value: b"value".to_vec(),
    };
    record.produce(place).await?;

    let read = tokio::task::spawn_blocking(|| {
        read_all(TOPIC, Offset::OffsetTail(1), |record| {
            let header = |name| header(record, name).map(str::to_owned);
            let bytes = (record.key()?.to_vec(), record.payload()?.to_vec());
            Some((bytes, header("ce_id"), header("bytes"), header("large")))
        })
    })
    .await??;
    ensure!(read.len() == 1, "{read:?}");
    let large = String::from_utf8(large)?;
    let expected = (
        (FF.to_vec(), b"value".to_vec()),
        Some("id".to_owned()),
        None,
        Some(large),
    );
    assert_eq!(read[0], expected);
    Ok(())
}
