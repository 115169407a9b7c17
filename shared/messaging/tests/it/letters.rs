//! Who keeps dead letters.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use contracts::Message as _;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};
use messaging::{HeaderValue, KeepLetters, Letter, LetterOrigin};
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, QUEUE, Stage, cloud_event, eventually, record_all};

/// Keeps letters in memory, and has room for none at first if that is wanted.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
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
    pub(crate) async fn after(&self, count: usize) -> anyhow::Result<Vec<Letter>> {
        eventually("letters on the shelf", async || {
            let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
            Ok((letters.len() >= count).then(|| letters.clone()))
        })
        .await
    }
}

pub(crate) fn shelf(stage: &Stage) -> Shelf {
    let (shelf, letters) = (Shelf::default(), stage.bus.dead_letters());
    let keeper = shelf.clone();
    stage.start(|token| letters.run(keeper, token));
    shelf
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
