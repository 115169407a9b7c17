use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, QueryBuilder, Row};
use uuid::Uuid;

use super::column;

/// What is known of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: Uuid,
    /// How many facts have made it what it is.
    pub version: i32,
    /// `pending`, `confirmed`, `rejected`, `paid` or `cancelled`.
    pub status: String,
    /// Address of the customer.
    pub email: String,
    /// Whether the customer is a regular one or a `vip`.
    pub tier: String,
    /// What it costs.
    pub total_cents: i64,
    /// In which currency.
    pub currency: String,
    /// When it was placed, once that was read.
    pub placed_at: Option<Timestamp>,
    /// When it was confirmed or rejected.
    pub decided_at: Option<Timestamp>,
    /// When it became what it is.
    pub changed_at: Timestamp,
}

/// Stores orders, each at most once in a call; of what is known of one the newest version counts.
pub async fn save_orders(db: &mut PgConnection, orders: &[Order]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into orders as known (id, version, status, email, tier, total_cents, currency, placed_at, decided_at,
                                      changed_at)
         select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                              $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
         on conflict (id) do update set
             version = greatest(known.version, excluded.version),
             status = case when excluded.version > known.version then excluded.status else known.status end,
             placed_at = coalesce(known.placed_at, excluded.placed_at),
             decided_at = coalesce(known.decided_at, excluded.decided_at),
             changed_at = greatest(known.changed_at, excluded.changed_at)
         -- What is known already writes no row.
         where excluded.version > known.version or excluded.changed_at > known.changed_at
            or known.placed_at is null and excluded.placed_at is not null
            or known.decided_at is null and excluded.decided_at is not null",
    )
    .bind(column(orders, |order| order.id))
    .bind(column(orders, |order| order.version))
    .bind(column(orders, |order| order.status.as_str()))
    .bind(column(orders, |order| order.email.as_str()))
    .bind(column(orders, |order| order.tier.as_str()))
    .bind(column(orders, |order| order.total_cents))
    .bind(column(orders, |order| order.currency.as_str()))
    .bind(column(orders, |order| order.placed_at.map(|time| time.to_sqlx())))
    .bind(column(orders, |order| order.decided_at.map(|time| time.to_sqlx())))
    .bind(column(orders, |order| order.changed_at.to_sqlx()))
    .execute(db)
    .await?;
    Ok(())
}

/// Which orders are looked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this one.
    pub id: Option<Uuid>,
    /// Only those with this status.
    pub status: Option<String>,
    /// Only those of customers whose address begins so.
    pub email: Option<String>,
    /// Only those placed at this time or later.
    pub since: Option<Timestamp>,
    /// Only those placed before this time.
    pub until: Option<Timestamp>,
    /// Only those placed before this one.
    pub before: Option<Uuid>,
    /// How many at most.
    pub limit: i64,
}

/// The newest orders that fit.
pub async fn orders(db: &PgPool, filter: &Filter) -> sqlx::Result<Vec<Order>> {
    let mut query = QueryBuilder::new("select * from orders where true");
    if let Some(id) = filter.id {
        query.push(" and id = ").push_bind(id);
    }
    if let Some(status) = &filter.status {
        query.push(" and status = ").push_bind(status);
    }
    if let Some(email) = &filter.email {
        query
            .push(" and starts_with(email, ")
            .push_bind(email)
            .push(")");
        // What the index is good for: everything that begins so lies in between.
        query.push(" and email >= ").push_bind(email);
        query
            .push(" and email < ")
            .push_bind(format!("{email}{}", char::MAX));
    }
    if let Some(since) = filter.since {
        query.push(" and placed_at >= ");
        query.push_bind(storable(since).to_sqlx());
        query.push(" and id >= ").push_bind(id_at(since, -SPARE));
    }
    if let Some(until) = filter.until {
        query.push(" and placed_at < ");
        query.push_bind(storable(until).to_sqlx());
        query.push(" and id < ").push_bind(id_at(until, SPARE));
    }
    if let Some(before) = filter.before {
        query.push(" and id < ").push_bind(before);
    }
    query
        .push(" order by id desc limit ")
        .push_bind(filter.limit);
    query.build_query_as().fetch_all(db).await
}

/// No order is older than that, and PostgreSQL does not know as many years as people can write.
fn storable(time: Timestamp) -> Timestamp {
    time.max(Timestamp::UNIX_EPOCH)
}

/// By so many milliseconds the clock in an id and the one in an event may disagree.
const SPARE: i64 = 60_000;

/// The smallest id of an order that was placed so many milliseconds after this time.
fn id_at(time: Timestamp, after: i64) -> Uuid {
    let milliseconds = time.as_millisecond().saturating_add(after);
    // An id has 48 bits for them.
    let milliseconds = milliseconds.clamp(0, (1 << 48) - 1);
    Uuid::from_u128(u128::from(milliseconds.unsigned_abs()) << 80)
}

/// One order.
pub async fn order(db: &PgPool, id: Uuid) -> sqlx::Result<Option<Order>> {
    sqlx::query_as("select * from orders where id = $1")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// What the orders of the last seconds have in common.
#[derive(Debug, Clone, Default, FromRow)]
pub struct Figures {
    /// How many were placed per second.
    pub placed_per_s: f64,
    /// How many were confirmed or rejected per second.
    pub decided_per_s: f64,
    /// Half of them were decided in fewer milliseconds.
    pub p50_ms: Option<f64>,
    /// All but one in a hundred.
    pub p99_ms: Option<f64>,
    /// How many are pending, as all counts: exact up to 10,000, and 10,001 for more.
    pub pending: i64,
    /// How many are confirmed.
    pub confirmed: i64,
    /// How many are rejected.
    pub rejected: i64,
    /// How many are paid.
    pub paid: i64,
    /// How many are cancelled.
    pub cancelled: i64,
    /// The order that has been waiting longest.
    pub oldest_pending: Option<Uuid>,
}

/// An order that is read so many milliseconds after it got its id is not counted among those that are placed now.
const LATE: i64 = 10_000;

/// Looks at the last five seconds, and counts to 10,000.
pub async fn figures(db: &PgPool) -> sqlx::Result<Figures> {
    sqlx::query_as(
        "with recent as (
             select extract(epoch from decided_at - placed_at)::float8 * 1000 as ms from orders
             where decided_at > now() - interval '5 s' limit 20000
         )
         select (select count(*) from (select from orders where id >= $1 and placed_at > now() - interval '5 s'
                                       limit 20000) as placed)::float8 / 5 as placed_per_s,
                (select count(*) from recent)::float8 / 5 as decided_per_s,
                (select percentile_cont(0.5) within group (order by ms) from recent) as p50_ms,
                (select percentile_cont(0.99) within group (order by ms) from recent) as p99_ms,
                (select count(*) from (select from orders where status = 'pending' limit 10001) as p) as pending,
                (select count(*) from (select from orders where status = 'confirmed' limit 10001) as p) as confirmed,
                (select count(*) from (select from orders where status = 'rejected' limit 10001) as p) as rejected,
                (select count(*) from (select from orders where status = 'paid' limit 10001) as p) as paid,
                (select count(*) from (select from orders where status = 'cancelled' limit 10001) as p) as cancelled,
                (select id from orders where status = 'pending' order by id limit 1) as oldest_pending",
    )
    .bind(id_at(Timestamp::now(), -LATE))
    .fetch_one(db)
    .await
}

impl FromRow<'_, PgRow> for Order {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let time = |column| row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column);
        let changed_at: jiff_sqlx::Timestamp = row.try_get("changed_at")?;
        Ok(Self {
            id: row.try_get("id")?,
            version: row.try_get("version")?,
            status: row.try_get("status")?,
            email: row.try_get("email")?,
            tier: row.try_get("tier")?,
            total_cents: row.try_get("total_cents")?,
            currency: row.try_get("currency")?,
            placed_at: time("placed_at")?.map(jiff_sqlx::Timestamp::to_jiff),
            decided_at: time("decided_at")?.map(jiff_sqlx::Timestamp::to_jiff),
            changed_at: changed_at.to_jiff(),
        })
    }
}
