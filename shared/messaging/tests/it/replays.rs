//! How a letter goes back to the consumer that failed.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use contracts::Message as _;
use messaging::{Failure, Letter, Replay};
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, QUEUE, Stage, cloud_event, headers, parcel, record_all, record_if};

use crate::letters::shelf;

fn replay(letter: &Letter, queue: &str, body: &[u8]) -> Replay {
    Replay {
        letter: Uuid::now_v7(),
        doubt: letter.doubt,
        queue: queue.to_owned(),
        message_id: letter.message_id.clone().unwrap_or_default(),
        message_type: Parcel::TYPE.to_owned(),
        written: letter.written.clone(),
        source: letter.source.clone(),
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        body: body.to_vec(),
    }
}

#[sqlx::test(migrations = false)]
async fn a_record_goes_back_to_its_consumer_alone_and_is_handled_once(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let id = Uuid::now_v7().to_string();
    let attributes = headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)]);
    topic.send(0, "alice", attributes, b"no JSON").await?;
    let consumer = stage.bus.topic(topic.topic);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let letters = shelf(&stage).after(1).await?;
    let letter = letters.first().context("no letter")?;
    let origin = letter.origin.clone().context("no origin")?;
    let queue = format!("tests.{}.replays", topic.topic.name);
    assert_eq!(origin.replay_queue(), queue);

    let body = serde_json::to_vec(&parcel("alice", 1))?;
    let mut replayer = stage.bus.replayer();
    let mended = replay(letter, &queue, &body);
    let another = Replay {
        message_id: Uuid::now_v7().to_string(),
        body: serde_json::to_vec(&parcel("alice", 2))?,
        ..mended.clone()
    };
    // Twice, as after a crash between the publishing and its mark.
    for replays in [vec![mended.clone()], vec![mended, another]] {
        for published in replayer.publish(&replays).await? {
            assert_eq!(published, Ok(()));
        }
    }
    let mut numbers = stage.numbers_after(2).await?;
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    // The topic has only the first record, so nobody else has seen another.
    let next = topic.send(0, "alice", headers(&[]), b"").await?;
    assert_eq!(next, 1);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_replay_has_all_its_attempts_and_nothing_of_the_letter_travels_along(
    pool: PgPool,
) -> anyhow::Result<()> {
    let delays = [Duration::from_millis(50); 2];
    let stage = Stage::with_retry_delays(&pool, &delays).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let properties = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
    let body = serde_json::to_vec(&parcel("alice", 1))?;
    stage.rabbitmq.send(QUEUE, properties, &body).await?;
    let never = record_if(|_| Err(Failure::retry(anyhow!("never"))));
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", never, token));
    let shelf = shelf(&stage);
    let first = shelf.after(1).await?;
    let first = first.first().context("no letter")?;
    let again = replay(first, QUEUE, &body);
    let published = stage
        .bus
        .replayer()
        .publish(std::slice::from_ref(&again))
        .await?;
    assert_eq!(published, [Ok(())]);
    let letters = shelf.after(2).await?;
    let second = letters.get(1).context("no second letter")?;
    assert_eq!((first.attempts, second.attempts), (3, 3));
    assert_eq!(second.message_id, first.message_id);
    assert_eq!(
        (first.replay_of, second.replay_of),
        (None, Some(again.letter))
    );
    assert!(first.headers.iter().any(|header| header.name == "x-custom"));
    assert!(
        second
            .headers
            .iter()
            .all(|header| header.name != "x-custom")
    );
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_queue_that_is_not_there_is_named_and_others_get_their_messages(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let properties = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
    stage.rabbitmq.send("dead-letters", properties, b"").await?;
    let letters = shelf(&stage).after(1).await?;
    let letter = letters.first().context("no letter")?;
    let body = serde_json::to_vec(&parcel("alice", 1))?;
    let mut replayer = stage.bus.replayer();
    let window = [
        // Nobody has declared the exchange of the first, and there is no queue behind that of the second.
        replay(letter, "gone.parcels", &body),
        replay(letter, "dead-letters.gone", &body),
        replay(letter, QUEUE, &body),
    ];
    for _ in 0..2 {
        let published = replayer.publish(&window).await?;
        let [gone, unbound, there] = &published[..] else {
            anyhow::bail!("{published:?}");
        };
        for (refused, queue) in [(gone, "`gone.parcels`"), (unbound, "`dead-letters.gone`")] {
            let reason = refused.as_ref().err().context("it was taken")?;
            ensure!(reason.contains(queue), "{reason}");
        }
        assert_eq!(there, &Ok(()));
    }
    ensure!(stage.rabbitmq.size(QUEUE).await? == 2, "both are there");
    stage.end().await
}
