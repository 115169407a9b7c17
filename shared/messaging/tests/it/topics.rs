//! Topics that are there with other settings than wanted, or are there no more.

use contracts::topology::Topic;
use rdkafka::Message;
use sqlx::PgPool;

use crate::common::{Parcel, Stage, eventually, parcel};

#[sqlx::test(migrations = false)]
async fn a_topic_that_was_there_before_gets_its_cleanup_policy_and_keeps_its_other_settings(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let others = [
        ("max.message.bytes", "2000000"),
        ("retention.ms", "86400001"),
    ];
    let deleting = stage.topic_with(1, &others).await?;
    let policy = [others[0], ("cleanup.policy", "compact")];
    let compacted = stage.topic_with(1, &policy).await?;
    let wanted = [compact(deleting.topic), compacted.topic];

    stage.start(|token| stage.bus.kafka_relay(wanted, token));

    for (topic, policy, others) in [
        (deleting, "compact", &others[..]),
        (compacted, "delete", &others[..1]),
    ] {
        let expected = [("cleanup.policy", policy)].into_iter();
        let expected = expected.chain(others.iter().copied());
        eventually("the settings of the topic", async || {
            let settings = topic.settings().await?;
            let settings = settings.iter().map(|(name, value)| (&**name, &**value));
            Ok(settings.eq(expected.clone()).then_some(()))
        })
        .await?;
    }
    assert!(stage.bus.topology_check()().await.is_ok());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn another_number_of_partitions_is_reported_and_used_until_the_topic_is_created_anew(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(3).await?;
    let wanted = Topic {
        partitions: 8,
        ..compact(topic.topic)
    };
    stage.start(|token| stage.bus.kafka_relay([wanted], token));

    let expected = format!(
        "topic `{}`: it has 3 partitions instead of 8",
        topic.topic.name
    );
    reported(&stage, &expected).await?;
    stage
        .publish([parcel("alice", 1).via_topic(wanted)])
        .await?;
    stage.until_the_outbox_is_empty().await?;
    assert_eq!(topic.partitions()?, 3);
    assert_eq!(topic.settings().await?["cleanup.policy"], "compact");

    topic.delete().await?;
    nothing_is_reported(&stage).await?;
    assert_eq!(topic.partitions()?, 8);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_topic_that_is_deleted_is_created_again_as_it_is_wanted(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(3).await?;
    let wanted = compact(topic.topic);
    stage.start(|token| stage.bus.kafka_relay([wanted], token));
    stage
        .publish([parcel("alice", 1).via_topic(wanted)])
        .await?;
    stage.until_the_outbox_is_empty().await?;

    for number in 2..4 {
        topic.delete().await?;
        // Once nothing is published meanwhile, once something is.
        if number == 3 {
            stage
                .publish([parcel("alice", number).via_topic(wanted)])
                .await?;
        }
        eventually("the topic is there again", async || {
            Ok((topic.partitions()? == 3).then_some(()))
        })
        .await?;
        assert_eq!(topic.settings().await?["cleanup.policy"], "compact");
        if number == 2 {
            stage
                .publish([parcel("alice", number).via_topic(wanted)])
                .await?;
        }
        let record = topic.records()?.next().await?;
        let parcel: Parcel = serde_json::from_slice(record.payload().unwrap_or_default())?;
        assert_eq!(parcel.number, number);
    }
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_topic_that_cannot_be_created_is_reported_and_holds_up_no_other(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let there = stage.topic(1).await?.topic;
    // Kafka takes no name that differs from another one only by a dot and an underscore.
    let name: &'static str = there.name.replace('.', "_").leak();
    let refused = Topic { name, ..there };
    stage.start(|token| stage.bus.kafka_relay([refused, there], token));

    reported(&stage, &format!("topic `{name}`: it cannot be created")).await?;
    stage.publish([parcel("alice", 1).via_topic(there)]).await?;
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

fn compact(topic: Topic) -> Topic {
    Topic {
        compacted: true,
        ..topic
    }
}

/// Waits until the health check of the service names this.
async fn reported(stage: &Stage, expected: &str) -> anyhow::Result<()> {
    let check = stage.bus.topology_check();
    eventually("what is wrong is reported", async || {
        let said = check().await.err().map(|error| error.to_string());
        Ok(said
            .is_some_and(|said| said.contains(expected))
            .then_some(()))
    })
    .await
}

async fn nothing_is_reported(stage: &Stage) -> anyhow::Result<()> {
    let check = stage.bus.topology_check();
    eventually("nothing is reported any more", async || {
        Ok(check().await.is_ok().then_some(()))
    })
    .await
}
