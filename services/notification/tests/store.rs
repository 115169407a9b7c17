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
async fn what_was_sent_is_not_to_be_sent_again(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let (first, second) = (
        new(Uuid::now_v7(), Channel::Email),
        new(Uuid::now_v7(), Channel::Email),
    );
    store::insert(&mut db, &[first.clone(), second.clone()]).await?;
    store::mark_sent(&mut db, &[(first.id, "receipt".to_owned())]).await?;
    assert_eq!(
        store::lock(&mut db, &[first.id, second.id]).await?,
        [(first.id, false), (second.id, true)].into()
    );
    let sent = store::of_order(&mut db, first.order_id).await?.remove(0);
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
async fn an_unknown_notification_is_not_found(pool: PgPool) -> Result<()> {
    let found = store::lock(&mut *pool.acquire().await?, &[Uuid::now_v7()]).await?;
    assert!(found.is_empty());
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
