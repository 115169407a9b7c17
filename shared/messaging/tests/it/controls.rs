use std::time::{Duration, Instant};

use contracts::{Control, FailKind};
use messaging::{Bus, Failure, Handler, Received, Tx};
use sqlx::PgPool;

use crate::common::asking::{Asking, IDLE, deliver, nothing, pause, process};
use crate::common::{
    Gate, Parcel, QUEUE, Sending, Stage, amqp_header, eventually, parcel, record, record_all,
};

#[sqlx::test(migrations = false)]
async fn a_paused_consumer_gives_back_what_it_holds_and_goes_on_when_nobody_asks_any_more(
    pool: PgPool,
) -> anyhow::Result<()> {
    struct Slow(Gate);
    impl Handler for Slow {
        type Message = Parcel;
        async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
            self.0.pass().await;
            record(tx, message).await
        }
    }
    let stage = Stage::new(&pool).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    let bus = process(&stage).await?;
    let gate = Gate::default();
    let (consumer, slow) = (bus.queue(QUEUE).batch(5), Slow(gate.clone()));
    stage.start(|token| consumer.run("receive", slow, token));
    stage.publish((1..=50).map(|n| parcel("alice", n))).await?;

    gate.reached().await;
    stage.until_the_outbox_is_empty().await?;
    stage.rabbitmq.until_consumed(QUEUE).await?;
    let asking = Asking::start(&stage, pause());
    stage.rabbitmq.until_abandoned(IDLE).await?;
    gate.open();
    stage.rabbitmq.until_abandoned(QUEUE).await?;
    // Its batch is finished after it has taken its leave.
    let handled = eventually("what it held is back", async || {
        let handled = stage.effects().await?.len();
        let left = stage.rabbitmq.size(QUEUE).await?;
        Ok((handled > 0 && left as usize == 50 - handled).then_some(handled))
    })
    .await?;
    assert!(handled <= 5, "{handled} handled in one batch");

    asking.fall_silent().await?;
    let mut numbers = stage.numbers_after(50).await?;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_pause_ends_by_itself(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    process(&stage).await?;
    let remaining_ms = 1_000;
    let short = Control {
        remaining_ms,
        ..pause()
    };
    let asking = Asking::start(&stage, short);
    stage.rabbitmq.until_abandoned(IDLE).await?;
    asking.fall_silent().await?;
    stage.rabbitmq.until_consumed(IDLE).await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_process_that_is_started_in_a_pause_pauses_and_one_without_demo_mode_does_not(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    let asking = Asking::start(&stage, pause());
    process(&stage).await?;
    stage.rabbitmq.until_abandoned(IDLE).await?;

    stage.start(|token| stage.bus.housekeeping(token));
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let idle = parcel("alice", 1).via_queue(IDLE);
    deliver(&stage, [idle, parcel("alice", 2)]).await?;
    assert_eq!(stage.numbers_after(1).await?, [2]);
    assert_eq!(stage.rabbitmq.size(IDLE).await?, 1);

    asking.now(nothing());
    assert_eq!(stage.numbers_after(2).await?, [2, 1]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_slowed_consumer_waits_for_each_message_and_for_no_more_than_two_seconds_at_once(
    pool: PgPool,
) -> anyhow::Result<()> {
    const EACH: u16 = 400;
    let stage = Stage::new(&pool).await?;
    let (_bus, asking) = paused(&stage, 12).await?;
    let before = Instant::now();
    let slow_ms = EACH;
    asking.now(Control {
        slow_ms,
        ..nothing()
    });
    stage.numbers_after(12).await?;
    let all = Duration::from_millis(EACH.into()) * 12;
    assert!(before.elapsed() >= all, "{:?}", before.elapsed());
    let largest = "select max(n) from (select count(*) n from effects group by xmin::text) batches";
    let largest: i64 = sqlx::query_scalar(largest).fetch_one(&pool).await?;
    assert!(largest <= 5, "{largest} messages in a batch");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_share_of_the_attempts_fails_and_nothing_is_lost(pool: PgPool) -> anyhow::Result<()> {
    const ALL: usize = 200;
    let stage = Stage::new(&pool).await?;
    let (_bus, asking) = paused(&stage, ALL).await?;
    asking.now(Control {
        fail_percent: 40,
        ..nothing()
    });
    let dead = eventually("everything settled", async || {
        let handled = stage.effects().await?.len();
        let dead = stage.rabbitmq.size("dead-letters").await? as usize;
        Ok((handled + dead == ALL).then_some(dead))
    })
    .await?;
    // Both attempts, so 40 % of 40 %.
    assert!((1..ALL / 2).contains(&dead), "{dead} dead letters");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn failures_that_were_asked_for_are_no_outage_even_when_all_fail(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let (bus, asking) = paused(&stage, 5).await?;
    let all = Control {
        fail_percent: 100,
        ..nothing()
    };
    asking.now(all.clone());
    dead_letters(&stage, 5, "2").await?;
    assert!(bus.consumers_check()().await.is_ok());

    stage.rabbitmq.until_consumed(QUEUE).await?;
    let fail_kind = FailKind::Permanent;
    asking.now(Control {
        fail_kind,
        ..pause()
    });
    stage.rabbitmq.until_abandoned(QUEUE).await?;
    deliver(&stage, (6..=10).map(|n| parcel("alice", n))).await?;
    asking.now(Control { fail_kind, ..all });
    dead_letters(&stage, 5, "1").await?;
    assert_eq!(stage.effects().await?, []);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn refused_e_mail_is_held_and_leaves_afterwards(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    let bus = process(&stage).await?;
    let asking = Asking::start(&stage, pause());
    stage.rabbitmq.until_abandoned(IDLE).await?;
    let sending = Sending::default();
    let (consumer, effects) = (bus.queue(QUEUE), sending.clone());
    stage.start(|token| consumer.run_effects("send", effects, token));
    stage.rabbitmq.declare(QUEUE).await?;
    deliver(&stage, [parcel("alice", 1)]).await?;

    let refuse_email = true;
    asking.now(Control {
        refuse_email,
        ..nothing()
    });
    until_size(&stage, 0).await?;
    // Nothing has become of it, so a pause gives it back.
    asking.now(Control {
        refuse_email,
        ..pause()
    });
    until_size(&stage, 1).await?;
    assert_eq!(sending.sent(), [0; 0]);

    asking.now(nothing());
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(sending.sent(), [1]);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

/// A consumer that is paused while so many parcels wait for it, so that it obeys from the first one on.
async fn paused(stage: &Stage, parcels: usize) -> anyhow::Result<(Bus, Asking)> {
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    let bus = process(stage).await?;
    let asking = Asking::start(stage, pause());
    stage.rabbitmq.until_abandoned(IDLE).await?;
    let consumer = bus.queue(QUEUE).batch(50);
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.rabbitmq.declare(QUEUE).await?;
    let parcels = 1..=i64::try_from(parcels)?;
    deliver(stage, parcels.map(|n| parcel("alice", n))).await?;
    Ok((bus, asking))
}

async fn dead_letters(stage: &Stage, count: usize, attempts: &str) -> anyhow::Result<()> {
    for _ in 0..count {
        let letter = stage.rabbitmq.dead_letter().await?.delivery;
        let header = |name| amqp_header(&letter.properties, name);
        let expected = "made to fail, as Ada has asked for 100 % of attempts";
        assert_eq!(header("dead-letter-reason"), expected);
        assert_eq!(header("dead-letter-attempts"), attempts);
    }
    Ok(())
}

async fn until_size(stage: &Stage, size: u32) -> anyhow::Result<()> {
    eventually("a queue of that size", async || {
        Ok((stage.rabbitmq.size(QUEUE).await? == size).then_some(()))
    })
    .await
}
