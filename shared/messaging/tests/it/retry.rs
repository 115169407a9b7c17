use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use contracts::Message;
use messaging::{Failure, Handler};
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, QUEUE, Stage, amqp_header, cloud_event, parcel, record_if};

/// A delay that comes twice uses one queue twice, which must not look like a cycle to the broker.
const DELAYS: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(300),
];

#[sqlx::test(migrations = false)]
async fn a_failing_message_comes_again_after_each_delay_until_it_succeeds(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &DELAYS).await?;
    let attempts = Attempts::default();
    let handler = attempts.failing(DELAYS.len());
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));

    stage.publish([parcel("alice", 1)]).await?;

    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_lower_bounds(&attempts, &DELAYS);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn after_the_last_attempt_a_message_becomes_a_dead_letter(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &DELAYS).await?;
    let attempts = Attempts::default();
    let handler = attempts.failing(usize::MAX);
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.rabbitmq.declare(QUEUE).await?;
    let id = Uuid::now_v7().to_string();
    let body = serde_json::to_vec(&parcel("alice", 1))?;
    // The broker would not let us publish in the name of another user, nor keep what has expired.
    let properties = cloud_event(&id, Parcel::TYPE)
        .with_user_id("e2e".into())
        .with_expiration("60000".into())
        .with_content_encoding("identity".into())
        .with_app_id("somebody".into());
    stage.rabbitmq.send(QUEUE, properties, &body).await?;

    let dead = stage.rabbitmq.dead_letter().await?.delivery;

    assert_lower_bounds(&attempts, &DELAYS);
    assert_eq!(dead.data, body);
    let header = |name| amqp_header(&dead.properties, name);
    assert_eq!(header("cloudEvents:id"), id);
    assert_eq!(header("x-custom"), "kept");
    assert_eq!(header("dead-letter-service"), "tests");
    assert_eq!(header("dead-letter-handler"), "receive");
    assert_eq!(header("dead-letter-queue"), QUEUE);
    assert_eq!(header("dead-letter-attempts"), "4");
    assert_eq!(header("dead-letter-reason"), "try again");
    header("dead-letter-time").parse::<jiff::Timestamp>()?;
    let properties = dead.properties;
    assert_eq!(properties.content_encoding(), &Some("identity".into()));
    assert_eq!(properties.app_id(), &Some("somebody".into()));
    assert_eq!(properties.expiration(), &None);
    assert_eq!(properties.delivery_mode(), &Some(2));
    assert_eq!(stage.effects().await?, []);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_rejected_message_becomes_a_dead_letter_at_once(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &DELAYS).await?;
    let consumer = stage.bus.queue(QUEUE);
    let handler = record_if(|message| match message.body.number {
        1 => Err(Failure::reject("nobody lives there")),
        _ => Ok(()),
    });
    stage.start(|token| consumer.run("receive", handler, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    let sent = parcel("alice", 1);
    stage.publish([sent.clone(), parcel("alice", 2)]).await?;

    let dead = stage.rabbitmq.dead_letter().await?.delivery;

    let header = |name| amqp_header(&dead.properties, name);
    assert_eq!(header("dead-letter-reason"), "nobody lives there");
    assert_eq!(header("dead-letter-attempts"), "1");
    assert_eq!(dead.data, serde_json::to_vec(&sent)?);
    assert_eq!(stage.numbers_after(1).await?, [2]);
    assert_eq!(stage.inbox("receive").await?.len(), 1);
    stage.end().await
}

/// When a handler was called.
#[derive(Clone, Default)]
struct Attempts(Arc<Mutex<Vec<Instant>>>);

impl Attempts {
    /// A handler that fails so often before it succeeds.
    fn failing(&self, times: usize) -> impl Handler<Message = Parcel> {
        let attempts = self.clone();
        record_if(move |_| {
            let mut all = attempts.all();
            all.push(Instant::now());
            if all.len() > times {
                return Ok(());
            }
            Err(Failure::retry(anyhow!("try again")))
        })
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Instant>> {
        self.0.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

fn assert_lower_bounds(attempts: &Attempts, delays: &[Duration]) {
    let attempts = attempts.all();
    assert_eq!(attempts.len(), delays.len() + 1);
    for (pair, delay) in attempts.windows(2).zip(delays) {
        let pause = pair[1] - pair[0];
        assert!(pause >= *delay, "{pause:?} is shorter than {delay:?}");
    }
}
