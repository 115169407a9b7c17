//! The SQL of the service. Every function runs in the caller's transaction.

use std::collections::HashSet;

use contracts::{Channel, OrderEventName};
use jiff::Timestamp;
use messaging::{OldRows, RemovalQuery};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

/// Every table of the service: without one of them it is not ready.
pub const TABLES: [&str; 1] = ["notifications"];

/// A notification that was decided upon and not yet delivered.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// Its id.
    pub id: Uuid,
    /// The order that it is about.
    pub order_id: Uuid,
    /// What happened.
    pub event: OrderEventName,
    /// How the customer learns of it.
    pub channel: Channel,
    /// Address or number.
    pub recipient: String,
}

/// One thing that a customer was told, or is about to be.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Id; the `Message-ID` of an e-mail is made of it.
    pub id: Uuid,
    /// The order that it is about.
    pub order_id: Uuid,
    /// What happened to the order.
    pub event: String,
    /// `email`, `sms` or `push`.
    pub channel: String,
    /// Address or number of the customer.
    pub recipient: String,
    /// `queued` or `sent`.
    pub status: String,
    /// When it was decided to tell.
    pub created_at: Timestamp,
    /// When the provider took it.
    pub sent_at: Option<Timestamp>,
    /// What the provider knows it by.
    pub reference: Option<String>,
}

/// Stores new notifications and returns the ids of those that did not exist: there is one per
/// order, event and channel.
pub async fn insert(db: &mut PgConnection, new: &[NewNotification]) -> sqlx::Result<HashSet<Uuid>> {
    let inserted: Vec<Uuid> = sqlx::query_scalar(
        "insert into notifications (id, order_id, event, channel, recipient)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
         on conflict (order_id, event, channel) do nothing
         returning id",
    )
    .bind(new.iter().map(|n| n.id).collect::<Vec<_>>())
    .bind(new.iter().map(|n| n.order_id).collect::<Vec<_>>())
    .bind(new.iter().map(|n| n.event.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|n| n.channel.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|n| n.recipient.as_str()).collect::<Vec<_>>())
    .fetch_all(db)
    .await?;
    Ok(inserted.into_iter().collect())
}

/// Those of the notifications that exist.
pub async fn existing(db: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<HashSet<Uuid>> {
    let found: Vec<Uuid> = sqlx::query_scalar("select id from notifications where id = any($1)")
        .bind(ids)
        .fetch_all(db)
        .await?;
    Ok(found.into_iter().collect())
}

/// Marks notifications as delivered, once more each, with the provider's reference.
pub async fn mark_sent(db: &mut PgConnection, sent: &[(Uuid, String)]) -> sqlx::Result<()> {
    sqlx::query(
        "update notifications set status = 'sent', sent_at = now(), reference = sent.reference,
                                  deliveries = deliveries + 1
         from unnest($1::uuid[], $2::text[]) as sent (id, reference)
         where notifications.id = sent.id",
    )
    .bind(sent.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(
        sent.iter()
            .map(|(_, reference)| reference.as_str())
            .collect::<Vec<_>>(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The notifications about an order, oldest first.
pub async fn of_order(db: &mut PgConnection, order_id: Uuid) -> sqlx::Result<Vec<Notification>> {
    sqlx::query_as(
        "select id, order_id, event, channel, recipient, status, created_at, sent_at, reference
         from notifications where order_id = $1 order by created_at, id",
    )
    .bind(order_id)
    .fetch_all(db)
    .await
}

/// Removes old notifications that were delivered and have been for as long. One that waits for its delivery stays.
pub fn remove_old(old: &OldRows) -> RemovalQuery {
    sqlx::query_as(
        "with seen as materialized (
             select id from notifications where id > $1 and id < $2 order by id limit $3
         ), removed as (
             delete from notifications
             where id = any(array(
                 select id from notifications
                 where id = any(array(select id from seen)) and status = 'sent' and sent_at < $4
                 for update skip locked))
             returning 1
         )
         select (select count(*) from removed), (select id from seen order by id desc limit 1)",
    )
    .bind(old.after)
    .bind(old.below)
    .bind(old.limit)
    .bind(jiff_sqlx::Timestamp::from(old.before))
}

impl FromRow<'_, PgRow> for Notification {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let sent_at: Option<jiff_sqlx::Timestamp> = row.try_get("sent_at")?;
        Ok(Self {
            id: row.try_get("id")?,
            order_id: row.try_get("order_id")?,
            event: row.try_get("event")?,
            channel: row.try_get("channel")?,
            recipient: row.try_get("recipient")?,
            status: row.try_get("status")?,
            created_at: row
                .try_get::<jiff_sqlx::Timestamp, _>("created_at")?
                .to_jiff(),
            sent_at: sent_at.map(jiff_sqlx::Timestamp::to_jiff),
            reference: row.try_get("reference")?,
        })
    }
}
