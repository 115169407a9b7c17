//! Who may have a doubtful effect take place once more: a person who was told of the doubt, and nothing else.

use anyhow::Context;
use contracts::Message as _;
use messaging::{NotPerformed, Replay};
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, QUEUE, Sending, Stage, amqp_header, cloud_event, parcel};
use crate::letters::shelf;

const DOUBT: &str = "in-doubt";

/// Handles parcels, of whose first attempts nobody knows the end.
async fn start(stage: &Stage, doubtful: usize) -> anyhow::Result<Sending> {
    let unknown = (0..doubtful).map(|_| NotPerformed::Unknown("no answer".to_owned()));
    let sending = Sending::failing(unknown);
    let (consumer, handler) = (stage.bus.queue(QUEUE), sending.clone());
    stage.start(|token| consumer.run_effects("send", handler, token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    Ok(sending)
}

/// The same message each time, as relays publish it that do not know of their first confirm.
async fn send(stage: &Stage, id: Uuid) -> anyhow::Result<()> {
    let properties = cloud_event(&id.to_string(), Parcel::TYPE);
    let body = serde_json::to_vec(&parcel("alice", 1))?;
    stage.rabbitmq.send(QUEUE, properties, &body).await
}

/// Everything that was noted is older than anybody would wait.
async fn pass_time(pool: &PgPool) -> anyhow::Result<()> {
    let later = "update messaging.claims set claimed_at = claimed_at - interval '1 hour'";
    sqlx::query(later).execute(pool).await?;
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn a_copy_has_no_effect_however_late_it_comes(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let sending = start(&stage, 1).await?;
    let id = Uuid::now_v7();
    send(&stage, id).await?;
    let first = stage.rabbitmq.dead_letter().await?;
    let doubt = amqp_header(&first.properties, DOUBT);
    assert!(doubt.parse::<Uuid>().is_ok(), "{doubt}");
    pass_time(&pool).await?;
    send(&stage, id).await?;
    let copy = stage.rabbitmq.dead_letter().await?;
    assert_eq!(amqp_header(&copy.properties, DOUBT), doubt);
    let reason = amqp_header(&copy.properties, "dead-letter-reason");
    assert_eq!(reason, "may have taken effect: no answer");
    assert_eq!(sending.sent(), [1]);
    assert_eq!(stage.effects().await?, []);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_dead_letter_that_is_put_back_into_its_queue_has_its_effect_at_once(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let sending = start(&stage, 1).await?;
    send(&stage, Uuid::now_v7()).await?;
    let letter = stage.rabbitmq.dead_letter().await?;
    let properties = letter.properties.clone();
    stage.rabbitmq.send(QUEUE, properties, &letter.data).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(sending.sent(), [1, 1]);
    let claims = "select count(*) from messaging.claims";
    let claims: i64 = sqlx::query_scalar(claims).fetch_one(&pool).await?;
    assert_eq!(claims, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_is_put_back_twice_has_no_second_effect_when_the_first_is_in_doubt(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let sending = start(&stage, 2).await?;
    send(&stage, Uuid::now_v7()).await?;
    let first = stage.rabbitmq.dead_letter().await?;
    let put_back = async |letter: &lapin::message::BasicGetMessage| {
        let properties = letter.properties.clone();
        stage.rabbitmq.send(QUEUE, properties, &letter.data).await
    };
    put_back(&first).await?;
    let second = stage.rabbitmq.dead_letter().await?;
    let doubt = amqp_header(&second.properties, DOUBT);
    assert_ne!(doubt, amqp_header(&first.properties, DOUBT));
    pass_time(&pool).await?;
    put_back(&first).await?;
    let copy = stage.rabbitmq.dead_letter().await?;
    assert_eq!(amqp_header(&copy.properties, DOUBT), doubt);
    assert_eq!(sending.sent(), [1, 1]);
    // Whoever reads the new letter is told of the new doubt.
    put_back(&copy).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(sending.sent(), [1, 1, 1]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_replay_has_its_effect_and_a_copy_of_the_replay_has_none(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let sending = start(&stage, 2).await?;
    let shelf = shelf(&stage);
    let id = Uuid::now_v7();
    send(&stage, id).await?;
    let letters = shelf.after(1).await?;
    let first = letters.first().context("no letter")?;
    let replay = |doubt: Option<Uuid>| Replay {
        letter: Uuid::now_v7(),
        doubt,
        queue: QUEUE.to_owned(),
        message_id: id.to_string(),
        message_type: Parcel::TYPE.to_owned(),
        written: first.written.clone(),
        source: first.source.clone(),
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        body: first.body.clone(),
    };
    let mut replayer = stage.bus.replayer();
    // Twice, as after a crash between the publishing and its mark.
    let twice = [replay(first.doubt), replay(first.doubt)];
    assert_eq!(replayer.publish(&twice).await?, [Ok(()), Ok(())]);
    let letters = shelf.after(3).await?;
    assert_eq!(sending.sent(), [1, 1]);
    let [first, second, copy] = &letters[..] else {
        anyhow::bail!("{} letters", letters.len());
    };
    assert!(first.doubt.is_some() && second.doubt.is_some());
    assert_ne!(first.doubt, second.doubt);
    assert_eq!(second.doubt, copy.doubt);

    let again = [replay(second.doubt)];
    assert_eq!(replayer.publish(&again).await?, [Ok(())]);
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(sending.sent(), [1, 1, 1]);
    stage.end().await
}
