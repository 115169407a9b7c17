//! What the SQL decides, each test in a database of its own.

use anyhow::Result;
use contracts::{Channel, OrderEventName};
use notification::store::{self, NewNotification};
use sqlx::PgPool;
use uuid::Uuid;

#[sqlx::test]
async fn there_is_one_notification_per_order_event_and_channel(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let order = Uuid::now_v7();
    let (email, sms) = (new(order, Channel::Email), new(order, Channel::Sms));
    let inserted = store::insert(&mut db, &[email.clone(), new(order, Channel::Email)]).await?;
    assert_eq!(inserted, [email.id].into());
    let inserted = store::insert(&mut db, &[new(order, Channel::Email), sms.clone()]).await?;
    assert_eq!(inserted, [sms.id].into());
    Ok(())
}

#[sqlx::test]
async fn every_delivery_is_counted(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let (email, sms) = (
        new(Uuid::now_v7(), Channel::Email),
        new(Uuid::now_v7(), Channel::Sms),
    );
    store::insert(&mut db, &[email.clone(), sms.clone()]).await?;
    for id in [email.id, email.id, sms.id] {
        store::mark_sent(&mut db, &[(id, "receipt".to_owned())]).await?;
    }
    let counted: Vec<(Uuid, i32)> =
        sqlx::query_as("select id, deliveries from notifications order by id")
            .fetch_all(&mut *db)
            .await?;
    assert_eq!(counted, [(email.id, 2), (sms.id, 1)]);

    let sent = store::of_order(&mut db, email.order_id).await?.remove(0);
    assert_eq!(
        (sent.status.as_str(), sent.reference.as_deref()),
        ("sent", Some("receipt"))
    );
    assert!(
        sent.sent_at
            .is_some_and(|sent_at| sent_at >= sent.created_at)
    );
    Ok(())
}

#[sqlx::test]
async fn an_unknown_notification_does_not_exist(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let known = new(Uuid::now_v7(), Channel::Email);
    store::insert(&mut db, std::slice::from_ref(&known)).await?;
    let existing = store::existing(&mut db, &[known.id, Uuid::now_v7()]).await?;
    assert_eq!(existing, [known.id].into());
    Ok(())
}

#[sqlx::test]
async fn the_notifications_of_an_order_come_oldest_first(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let order = Uuid::now_v7();
    let channels = [Channel::Push, Channel::Email, Channel::Sms];
    for channel in channels {
        store::insert(
            &mut db,
            &[new(order, channel), new(Uuid::now_v7(), channel)],
        )
        .await?;
    }
    let found = store::of_order(&mut db, order).await?;
    assert_eq!(
        found.iter().map(|n| n.channel.as_str()).collect::<Vec<_>>(),
        ["push", "email", "sms"]
    );
    Ok(())
}

fn new(order_id: Uuid, channel: Channel) -> NewNotification {
    NewNotification {
        id: Uuid::now_v7(),
        order_id,
        event: OrderEventName::OrderPaid,
        channel,
        recipient: "ada@example.com".to_owned(),
    }
}

#[sqlx::test]
async fn the_readiness_check_knows_every_table(pool: PgPool) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'public' and tablename <> '_sqlx_migrations'
         order by tablename",
    )
    .fetch_all(&pool)
    .await?;
    let mut known = store::TABLES;
    known.sort_unstable();
    assert_eq!(tables, known);
    Ok(())
}
