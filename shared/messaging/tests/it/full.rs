//! An outbox with as much in it as is allowed.

use contracts::Message;
use contracts::topology::Topic;
use messaging::{Failure, Handler, OutboxLimits, Received, Tx};
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, QUEUE, Stage, cloud_event, eventually, parcel, record};

#[sqlx::test(migrations = false)]
async fn whoever_publishes_holds_its_messages_while_the_outbox_is_full(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::with_retry_delays(&pool, &[]).await?;
    let topic = stage.topic(1).await?.topic;
    stage.args.limits = OutboxLimits {
        outbox_limit: 3,
        outbox_max_age: None,
    };
    let bus = stage.another_bus()?;
    let waiting = (0..3).map(|number| parcel("waiting", number).via_topic(topic));
    stage.publish(waiting).await?;
    stage.start(|token| bus.housekeeping(token));
    eventually("a full outbox", async || {
        Ok(bus.is_overloaded().then_some(()))
    })
    .await?;

    let consumer = bus.queue(QUEUE);
    stage.start(|token| consumer.run("forward", ForwardOdd(topic), token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    send(&stage, 2).await?;
    assert_eq!(stage.numbers_after(1).await?, [2]);
    send(&stage, 1).await?;
    let check = bus.consumers_check();
    let reason = eventually("a message that is held", async || {
        Ok(check().await.err().map(|error| format!("{error:#}")))
    })
    .await?;
    assert!(reason.contains("the outbox is full"), "{reason}");
    assert_eq!(stage.outbox_size().await?, 3);

    stage.start(|token| bus.kafka_relay([topic], token));
    assert_eq!(stage.numbers_after(2).await?, [2, 1]);
    stage.until_the_outbox_is_empty().await?;
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

/// Publishes parcels with odd numbers on.
struct ForwardOdd(Topic);

impl Handler for ForwardOdd {
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
        let number = message.body.number;
        if number % 2 == 1 {
            let onwards = parcel("onwards", number).via_topic(self.0);
            tx.publish(&message.cause, &onwards);
        }
        record(tx, message).await
    }
}

async fn send(stage: &Stage, number: i64) -> anyhow::Result<()> {
    let event = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
    let body = serde_json::to_vec(&parcel("alice", number))?;
    stage.rabbitmq.send(QUEUE, event, &body).await
}
