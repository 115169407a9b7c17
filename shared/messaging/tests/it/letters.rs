//! Who keeps dead letters, and how one goes back to the consumer that failed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use contracts::Message as _;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};
use messaging::{Failure, HeaderValue, KeepLetters, Letter, LetterOrigin, Replay};
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{
    Parcel, QUEUE, Stage, cloud_event, eventually, headers, parcel, record_all, record_if,
};

/// Keeps letters in memory, and has room for none at first if that is wanted.
#[derive(Clone, Default)]
struct Shelf {
    letters: Arc<Mutex<Vec<Letter>>>,
    failures: Arc<Mutex<usize>>,
}

impl KeepLetters for Shelf {
    async fn keep(&self, letters: &[Letter]) -> anyhow::Result<()> {
        {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            if *failures > 0 {
                *failures -= 1;
                anyhow::bail!("no room");
            }
        }
        let mut kept = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(letters.iter().cloned());
        Ok(())
    }
}

impl Shelf {
    async fn after(&self, count: usize) -> anyhow::Result<Vec<Letter>> {
        eventually("letters on the shelf", async || {
            let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
            Ok((letters.len() >= count).then(|| letters.clone()))
        })
        .await
    }
}

fn shelf(stage: &Stage) -> Shelf {
    let (shelf, letters) = (Shelf::default(), stage.bus.dead_letters());
    let keeper = shelf.clone();
    stage.start(|token| letters.run(keeper, token));
    shelf
}

fn replay(letter: &Letter, queue: &str, body: &[u8]) -> Replay {
    Replay {
        letter: Uuid::now_v7(),
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
async fn a_dead_letter_of_a_queue_is_kept_as_it_was(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let id = Uuid::now_v7().to_string();
    let body = b"\xff\0 no JSON";
    let mut table = FieldTable::default();
    let bytes = LongString::from(b"\xfe\xff".to_vec());
    table.insert("x-bytes".into(), AMQPValue::LongString(bytes));
    table.insert("x-number".into(), AMQPValue::LongLongInt(7));
    let properties = BasicProperties::default()
        .with_message_id(id.as_str().into())
        .with_type(Parcel::TYPE.into())
        .with_app_id("somebody".into())
        .with_headers(table);
    stage.rabbitmq.send(QUEUE, properties, body).await?;
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));

    let letters = shelf(&stage).after(1).await?;

    let letter = letters.first().context("no letter")?;
    let origin = LetterOrigin::Queue {
        queue: QUEUE.to_owned(),
        exchange: String::new(),
        routing_key: QUEUE.to_owned(),
    };
    assert_eq!(letter.origin, Some(origin));
    assert_eq!(letter.service.as_deref(), Some("tests"));
    assert_eq!(letter.handler.as_deref(), Some("receive"));
    assert_eq!(letter.message_id, Some(id));
    assert_eq!(letter.message_type.as_deref(), Some(Parcel::TYPE));
    assert_eq!((letter.attempts, letter.is_cut), (1, false));
    assert!(letter.time.is_some());
    assert!(
        letter.reason.starts_with("malformed body"),
        "{}",
        letter.reason
    );
    assert_eq!(letter.body, body);
    assert_eq!(
        letter.properties.get("app-id").map(String::as_str),
        Some("somebody")
    );
    let header = |name: &str| {
        let of_name = letter.headers.iter().find(|header| header.name == name);
        of_name.map(|header| header.value.clone())
    };
    assert_eq!(
        header("x-bytes"),
        Some(HeaderValue::Bytes(vec![0xfe, 0xff]))
    );
    assert_eq!(header("x-number"), Some(HeaderValue::Other(7.into())));
    eventually("an empty queue", async || {
        Ok((stage.rabbitmq.size("dead-letters").await? == 0).then_some(()))
    })
    .await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn whatever_lies_among_the_dead_letters_is_kept(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let named_like_ours = |name: &'static str, value: AMQPValue| {
        let mut table = FieldTable::default();
        table.insert(name.into(), value);
        BasicProperties::default().with_headers(table)
    };
    let foreign = [
        BasicProperties::default(),
        named_like_ours("dead-letter-queue", AMQPValue::LongLongInt(7)),
        named_like_ours("dead-letter-topic", AMQPValue::LongString("topic".into())),
        named_like_ours("dead-letter-attempts", AMQPValue::LongInt(-1)),
        named_like_ours(
            "dead-letter-time",
            AMQPValue::LongString("yesterday".into()),
        ),
        named_like_ours("replay-of", AMQPValue::LongString("nothing".into())),
        named_like_ours("x-death", AMQPValue::Void),
    ];
    let count = foreign.len();
    stage.rabbitmq.declare("dead-letters").await?;
    for (number, properties) in (0..).zip(foreign) {
        stage
            .rabbitmq
            .send("dead-letters", properties, &[number])
            .await?;
    }
    let letters = shelf(&stage).after(count).await?;
    let mut bodies: Vec<_> = letters
        .iter()
        .flat_map(|letter| letter.body.clone())
        .collect();
    bodies.sort_unstable();
    assert_eq!(bodies, (0..).take(count).collect::<Vec<u8>>());
    for letter in letters {
        assert_eq!((letter.origin, letter.replay_of), (None, None));
    }
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_cannot_be_kept_is_handed_over_again(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare("dead-letters").await?;
    for number in 0..7 {
        let properties = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
        stage
            .rabbitmq
            .send("dead-letters", properties, &[number])
            .await?;
    }
    let shelf = Shelf {
        failures: Arc::new(Mutex::new(2)),
        ..Shelf::default()
    };
    let (letters, keeper) = (stage.bus.dead_letters(), shelf.clone());
    stage.start(|token| letters.run(keeper, token));
    let mut bodies: Vec<_> = shelf.after(7).await?;
    bodies.sort_by(|a, b| a.body.cmp(&b.body));
    bodies.dedup_by(|a, b| a.body == b.body);
    assert_eq!(bodies.len(), 7);
    stage.end().await
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
