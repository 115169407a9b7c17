//! What becomes of notifications that are old.

use std::time::Duration;

use anyhow::{Result, ensure};
use contracts::{Channel, OrderEventName};
use jiff::Timestamp;
use messaging::testing::{self, buffers};
use messaging::{Bus, OldRows};
use notification::store::{self, NewNotification};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const KEPT: Duration = days(30);

/// Buffers for one portion.
const LIMIT: i64 = 3_000;
const ROWS: i32 = 200_000;

#[sqlx::test]
async fn old_notifications_are_removed_once_they_were_delivered(pool: PgPool) -> Result<()> {
    let bus = testing::bus("notification", &pool).await?;
    let (sent, queued) = (new(), new());
    let mut db = pool.acquire().await?;
    store::insert(&mut db, &[sent.clone(), queued.clone()]).await?;
    store::mark_sent(&mut db, &[(sent.id, "receipt".to_owned())]).await?;

    let now = Timestamp::now();
    assert_eq!(remove(&bus, now + days(29)).await?, 0);
    assert_eq!(remove(&bus, now + days(31)).await?, 1);
    let left = store::existing(&mut db, &[sent.id, queued.id]).await?;
    assert_eq!(left, [queued.id].into());

    // It is delivered late, and kept from then on.
    store::mark_sent(&mut db, &[(queued.id, "receipt".to_owned())]).await?;
    sqlx::query("update notifications set sent_at = sent_at + interval '20 days'")
        .execute(&mut *db)
        .await?;
    assert_eq!(remove(&bus, now + days(49)).await?, 0);
    assert_eq!(remove(&bus, now + days(51)).await?, 1);
    Ok(())
}

#[sqlx::test]
async fn a_portion_costs_the_same_wherever_it_is_in_a_large_table(pool: PgPool) -> Result<()> {
    messaging::migrate(&pool).await?;
    sqlx::query(
        "insert into notifications (id, order_id, event, channel, recipient, status, sent_at, reference)
         select (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
                gen_random_uuid(), 'order-paid', 'push', repeat('x', 40), 'sent', now() - interval '40 days', repeat('x', 40)
         from generate_series(1, $1) n",
    )
    .bind(ROWS)
    .execute(&pool)
    .await?;
    sqlx::raw_sql("analyze notifications")
        .execute(&pool)
        .await?;
    let pages = sqlx::query_scalar("select pg_relation_size('notifications') / 8192");
    let pages: i64 = pages.fetch_one(&pool).await?;
    ensure!(pages > LIMIT, "a table of {pages} pages shows nothing");

    let middle = sqlx::query_scalar("select id from notifications order by id offset $1 limit 1");
    let middle: Uuid = middle.bind(ROWS / 2).fetch_one(&pool).await?;
    let mut db = pool.acquire().await?;
    for after in [Uuid::nil(), middle] {
        let old = OldRows::behind(after, Timestamp::now(), KEPT);
        let portion = buffers::statement(store::remove_old(&old))?;
        let of_kept_plan = buffers::of_kept_plan(&mut db, portion.clone()).await?;
        let buffers = buffers::of(&mut db, portion).await?;
        println!("behind {after}: {buffers}, {of_kept_plan} buffers");
        // It has to have something to do.
        assert!((200..=LIMIT).contains(&buffers), "{buffers}");
        assert!(of_kept_plan <= LIMIT, "{of_kept_plan}");
    }
    Ok(())
}

async fn remove(bus: &Bus, now: Timestamp) -> Result<i64> {
    let notifications = bus.removal("notifications", Some(KEPT), store::remove_old);
    Ok(notifications.remove(now, &CancellationToken::new()).await?)
}

fn new() -> NewNotification {
    NewNotification {
        id: Uuid::now_v7(),
        order_id: Uuid::now_v7(),
        event: OrderEventName::OrderPaid,
        channel: Channel::Email,
        recipient: "ada@example.com".to_owned(),
    }
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}
