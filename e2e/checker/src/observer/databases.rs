use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use harness::setting;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::types::Json;
use sqlx::{PgPool, Row};

use super::Pending;
use crate::{
    CONSUMERS, Handled, Level, Line, Notification, Observed, Order, Reservation, Restock, Step,
    Stock,
};

/// The databases of the services, for reading.
pub(super) struct Databases {
    order: PgPool,
    inventory: PgPool,
    notification: PgPool,
    console: PgPool,
}

impl Databases {
    pub(super) fn from_environment() -> Result<Self> {
        let server = PgConnectOptions::from_str(&setting("TEST_DATABASE_URL")?)?
            .options([("default_transaction_read_only", "on")]);
        let pool = |name: &str| {
            PgPoolOptions::new()
                .max_connections(2)
                .acquire_timeout(Duration::from_secs(10))
                .connect_lazy_with(server.clone().database(name))
        };
        Ok(Self {
            order: pool("order"),
            inventory: pool("inventory"),
            notification: pool("notification"),
            console: pool("console"),
        })
    }

    /// Of the console, which sells nothing and is asked for nothing but the dead letters.
    pub(super) fn console(&self) -> &PgPool {
        &self.console
    }

    /// Those of the services that sell.
    fn all(&self) -> [(&'static str, &PgPool); 3] {
        [
            ("order", &self.order),
            ("inventory", &self.inventory),
            ("notification", &self.notification),
        ]
    }

    pub(super) async fn pending(&self) -> Result<Pending> {
        let (orders, unpaid): (i64, i64) = sqlx::query_as(
            "select count(*) filter (where status = 'pending'), count(*) filter (where status = 'confirmed')
             from orders where status in ('pending', 'confirmed')",
        )
        .fetch_one(&self.order)
        .await?;
        let reserved: i64 =
            sqlx::query_scalar("select count(*) from reservations where status = 'reserved'")
                .fetch_one(&self.inventory)
                .await?;
        let queued: i64 =
            sqlx::query_scalar("select count(*) from notifications where status = 'queued'")
                .fetch_one(&self.notification)
                .await?;
        let notifications = queued - in_doubt(&self.notification).await?;
        let mut outbox = 0;
        for (_, pool) in self.all() {
            outbox += outbox_rows(pool).await?;
        }
        Ok(Pending {
            orders,
            unpaid,
            outbox,
            lag: 0,
            reservations: reserved - unpaid,
            notifications,
        })
    }

    pub(super) async fn read(&self, observed: &mut Observed) -> Result<()> {
        observed.orders = rows(
            &self.order,
            "select id, status, version, history, lines, customer ->> 'email' as email,
                    customer ->> 'phone' as phone, coalesce(customer ->> 'tier' = 'vip', false) as is_vip
             from orders order by id",
            order,
        )
        .await?;
        observed.stock = rows(&self.inventory, "select * from stock", stock)
            .await?
            .into_iter()
            .collect();
        observed.reservations =
            rows(&self.inventory, "select * from reservations", reservation).await?;
        observed.restocks = rows(&self.inventory, "select * from restocks", restock).await?;
        observed.notifications = rows(
            &self.notification,
            "select * from notifications",
            notification,
        )
        .await?;
        observed.takeovers = takeovers(&self.notification).await?;
        for (service, pool) in self.all() {
            observed
                .outboxes
                .insert(service.to_owned(), outbox_rows(pool).await?);
            for consumer in CONSUMERS.iter().filter(|one| one.service == service) {
                observed
                    .handled
                    .extend(handled(pool, consumer.handler).await?);
            }
        }
        Ok(())
    }
}

/// What waits to be published, also what a broker has refused.
async fn outbox_rows(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select (select count(*) from messaging.outbox) + (select count(*) from messaging.refused)",
    )
    .fetch_one(pool)
    .await
}

/// E-mails of which nobody will ever know whether they were delivered. Nobody waits for them.
async fn in_doubt(pool: &PgPool) -> sqlx::Result<i64> {
    if !is_there(pool, "messaging.claims").await? {
        return Ok(0);
    }
    sqlx::query_scalar("select count(*) from messaging.claims where doubt is not null")
        .fetch_one(pool)
        .await
}

async fn is_there(pool: &PgPool, table: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(table)
        .fetch_one(pool)
        .await
}

/// How often another instance has taken an e-mail over from one that was dead. None where nobody counts it.
async fn takeovers(pool: &PgPool) -> sqlx::Result<Option<usize>> {
    if !is_there(pool, "messaging.takeovers").await? {
        return Ok(None);
    }
    let count: i64 =
        sqlx::query_scalar("select count(*) from messaging.takeovers where handler = 'send-email'")
            .fetch_one(pool)
            .await?;
    Ok(usize::try_from(count).ok())
}

/// What a handler took effect for, and when that was committed: a service may write its rows in any
/// order before.
async fn handled(pool: &PgPool, handler: &'static str) -> sqlx::Result<Vec<Handled>> {
    sqlx::query(
        "select message_id, (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint
         from messaging.inbox where handler = $1",
    )
    .bind(handler)
    .try_map(|row: PgRow| {
        Ok(Handled {
            handler,
            message_id: row.try_get(0)?,
            committed_at: row.try_get(1)?,
        })
    })
    .fetch_all(pool)
    .await
}

/// Each row is turned into what is kept of it as it comes, so that they are in memory only once.
async fn rows<T: Unpin + Send>(
    pool: &PgPool,
    query: &'static str,
    read: fn(PgRow) -> sqlx::Result<T>,
) -> sqlx::Result<Vec<T>> {
    sqlx::query(query).try_map(read).fetch_all(pool).await
}

fn order(row: PgRow) -> sqlx::Result<Order> {
    Ok(Order {
        id: row.try_get("id")?,
        status: row.try_get("status")?,
        version: row.try_get("version")?,
        history: row.try_get::<Json<Vec<Step>>, _>("history")?.0,
        email: row.try_get("email")?,
        phone: row.try_get("phone")?,
        is_vip: row.try_get("is_vip")?,
        lines: row.try_get::<Json<Vec<Line>>, _>("lines")?.0,
    })
}

fn stock(row: PgRow) -> sqlx::Result<(String, Stock)> {
    let level = Level {
        available: row.try_get("available")?,
        reserved: row.try_get("reserved")?,
        sold: row.try_get("sold")?,
        version: row.try_get("version")?,
    };
    let (initial, restocked) = (row.try_get("initial")?, row.try_get("restocked")?);
    Ok((
        row.try_get("sku")?,
        Stock {
            level,
            initial,
            restocked,
        },
    ))
}

fn reservation(row: PgRow) -> sqlx::Result<Reservation> {
    Ok(Reservation {
        order_id: row.try_get("order_id")?,
        status: row.try_get("status")?,
        lines: row.try_get::<Json<Vec<Line>>, _>("lines")?.0,
    })
}

fn restock(row: PgRow) -> sqlx::Result<Restock> {
    Ok(Restock {
        key: row.try_get("idempotency_key")?,
        sku: row.try_get("sku")?,
        quantity: row.try_get("quantity")?,
    })
}

fn notification(row: PgRow) -> sqlx::Result<Notification> {
    Ok(Notification {
        id: row.try_get("id")?,
        order_id: row.try_get("order_id")?,
        event: row.try_get("event")?,
        channel: row.try_get("channel")?,
        recipient: row.try_get("recipient")?,
        deliveries: row.try_get("deliveries")?,
    })
}
