use std::collections::{HashMap, HashSet};

use contracts::{Customer, Money, PricedLine};
use jiff::Timestamp;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use crate::domain::{Change, Order, Status};

/// An order to insert.
pub struct NewOrder {
    /// The order.
    pub order: Order,
    /// The key under which its client may repeat the request.
    pub idempotency: Option<Idempotency>,
}

/// An `Idempotency-Key` and what it was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
}

/// The present, no finer than PostgreSQL keeps it: a new order is shown as it will be read again.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// Inserts the orders whose key, if they have one, is not taken; answers the ids of these.
///
/// Of several orders with one key, in one call or in concurrent transactions, one is inserted.
pub async fn insert(db: &mut PgConnection, orders: &[&NewOrder]) -> sqlx::Result<HashSet<Uuid>> {
    let mut orders = orders.to_vec();
    // Two transactions that claim the same keys in different orders would wait for each other.
    orders.sort_by_key(|new| new.idempotency.as_ref().map(|used| &used.key));
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "insert into orders (id, status, version, customer, lines, total_cents, currency, history, created_at,
                             idempotency_key, request_hash)
         select * from unnest($1::uuid[], $2::text[], $3::int[], $4::jsonb[], $5::jsonb[], $6::bigint[], $7::text[],
                              $8::jsonb[], $9::timestamptz[], $10::text[], $11::bytea[])
         on conflict (idempotency_key) where idempotency_key is not null do nothing
         returning id",
    )
    .bind(column(&orders, |new| new.order.id))
    .bind(column(&orders, |new| new.order.status.as_str()))
    .bind(column(&orders, |new| new.order.version))
    .bind(column(&orders, |new| Json(&new.order.customer)))
    .bind(column(&orders, |new| Json(&new.order.lines)))
    .bind(column(&orders, |new| new.order.total.cents))
    .bind(column(&orders, |new| new.order.total.currency.as_str()))
    .bind(column(&orders, |new| Json(&new.order.history)))
    .bind(column(&orders, |new| jiff_sqlx::Timestamp::from(new.order.created_at)))
    .bind(column(&orders, |new| new.idempotency.as_ref().map(|used| used.key.as_str())))
    .bind(column(&orders, |new| new.idempotency.as_ref().map(|used| used.request_hash.as_slice())))
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().collect())
}

/// The orders that were placed under these keys, each with the hash of its request.
pub async fn placed_under(
    db: &mut PgConnection,
    keys: &[&str],
) -> sqlx::Result<HashMap<String, (Order, Vec<u8>)>> {
    let rows = sqlx::query("select * from orders where idempotency_key = any($1)")
        .bind(keys)
        .fetch_all(db)
        .await?;
    let entry = |row: PgRow| {
        let key = row.try_get("idempotency_key")?;
        Ok((key, (Order::from_row(&row)?, row.try_get("request_hash")?)))
    };
    rows.into_iter().map(entry).collect()
}

/// Locks and reads the orders of these ids, as far as they exist, until the transaction ends.
pub async fn lock(db: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Order>> {
    let orders: Vec<Order> =
        sqlx::query_as("select * from orders where id = any($1) order by id for no key update")
            .bind(ids)
            .fetch_all(db)
            .await?;
    Ok(orders.into_iter().map(|order| (order.id, order)).collect())
}

/// Writes the latest change of each of these orders, which must be locked.
pub async fn save(db: &mut PgConnection, orders: &[&Order]) -> sqlx::Result<()> {
    sqlx::query(
        "update orders
         set status = new.status, version = new.version, history = orders.history || new.change
         from unnest($1::uuid[], $2::text[], $3::int[], $4::jsonb[]) as new (id, status, version, change)
         where orders.id = new.id",
    )
    .bind(column(orders, |order| order.id))
    .bind(column(orders, |order| order.status.as_str()))
    .bind(column(orders, |order| order.version))
    .bind(column(orders, |order| Json(order.history.last())))
    .execute(db)
    .await?;
    Ok(())
}

/// One order.
pub async fn order(db: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Order>> {
    sqlx::query_as("select * from orders where id = $1")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// The newest orders, of one status or of all, that are older than `after`.
pub async fn page(
    db: &mut PgConnection,
    status: Option<Status>,
    after: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Order>> {
    // Two statements, so that each uses its index by a plan that is made without the values. Only the index by status
    // has the order of the first one. By `status = $3` that of ids has it too, and looks better than it is for a status
    // of which there are few.
    let page = match status {
        Some(_) => {
            "select * from orders where (status, id) < ($3, $1) and status >= $3
             order by status desc, id desc limit $2"
        }
        None => "select * from orders where id < $1 and $3::text is null order by id desc limit $2",
    };
    sqlx::query_as(page)
        .bind(after.unwrap_or(Uuid::max()))
        .bind(limit)
        .bind(status.map(Status::as_str))
        .fetch_all(db)
        .await
}

fn column<'a, R, T: 'a>(rows: &[&'a R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}

impl FromRow<'_, PgRow> for Order {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let Json::<Customer>(customer) = row.try_get("customer")?;
        let Json::<Vec<PricedLine>>(lines) = row.try_get("lines")?;
        let Json::<Vec<Change>>(history) = row.try_get("history")?;
        let created_at: jiff_sqlx::Timestamp = row.try_get("created_at")?;
        let status: String = row.try_get("status")?;
        Ok(Self {
            id: row.try_get("id")?,
            status: Status::parse(&status).ok_or_else(|| unreadable(&status))?,
            version: row.try_get("version")?,
            customer,
            lines,
            total: Money {
                cents: row.try_get("total_cents")?,
                currency: row.try_get("currency")?,
            },
            history,
            created_at: Timestamp::from(created_at),
        })
    }
}

fn unreadable(status: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("unknown status `{status}`").into())
}
