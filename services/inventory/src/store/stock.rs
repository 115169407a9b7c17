use std::collections::BTreeMap;

use anyhow::Context;
use contracts::Line;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::{Level, Reservation, Status, Stock};

/// Locks what was decided for these orders before.
pub async fn lock_reservations(
    db: &mut PgConnection,
    order_ids: &[Uuid],
) -> anyhow::Result<BTreeMap<Uuid, Reservation>> {
    #[derive(FromRow)]
    struct Row {
        order_id: Uuid,
        status: String,
        lines: Json<Vec<Line>>,
        reason: Option<String>,
        version: i32,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select order_id, status, lines, reason, version from reservations
         where order_id = any($1) order by order_id for update",
    )
    .bind(order_ids)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let status =
                Status::from_name(&row.status).context("unknown status of a reservation")?;
            let reservation = Reservation {
                status,
                lines: row.lines.0,
                reason: row.reason,
                version: row.version,
            };
            Ok((row.order_id, reservation))
        })
        .collect()
}

/// Locks the stock of these products. Those that do not exist are not in the answer.
pub async fn lock_levels(
    db: &mut PgConnection,
    skus: &[&str],
) -> sqlx::Result<BTreeMap<String, Level>> {
    #[derive(FromRow)]
    struct Row {
        sku: String,
        #[sqlx(flatten)]
        level: Level,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select sku, available, reserved, sold, version from stock
         where sku = any($1) order by sku for update",
    )
    .bind(skus)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.sku, row.level)).collect())
}

/// Writes what changed since the rows were locked, in one statement.
///
/// # Errors
///
/// Also when another transaction decided about one of the orders for the first time meanwhile; it
/// had no row that could have been locked. Trying again finds that row.
pub async fn save(db: &mut PgConnection, stock: &Stock) -> anyhow::Result<()> {
    let reservations: Vec<_> = stock.changed_reservations().collect();
    let levels: Vec<_> = stock.changed_levels().collect();
    let written = sqlx::query(
        "with levels as (
             update stock set available = new.available, reserved = new.reserved, sold = new.sold,
                              version = new.version
             from unnest($5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
                  as new (sku, available, reserved, sold, version)
             where stock.sku = new.sku
         )
         insert into reservations (order_id, status, lines, version, reason)
         select * from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::int[], $10::text[])
         on conflict (order_id) do update set status = excluded.status, version = excluded.version,
                                              reason = excluded.reason
         where reservations.version = excluded.version - 1",
    )
    .bind(column(&reservations, |(id, _)| **id))
    .bind(column(&reservations, |(_, r)| r.status.as_str()))
    .bind(column(&reservations, |(_, r)| Json(&r.lines)))
    .bind(column(&reservations, |(_, r)| r.version))
    .bind(column(&levels, |(sku, _)| sku.as_str()))
    .bind(column(&levels, |(_, level)| level.available))
    .bind(column(&levels, |(_, level)| level.reserved))
    .bind(column(&levels, |(_, level)| level.sold))
    .bind(column(&levels, |(_, level)| level.version))
    .bind(column(&reservations, |(_, r)| r.reason.as_deref()))
    .execute(db)
    .await?;
    anyhow::ensure!(
        written.rows_affected() == reservations.len() as u64,
        "another instance decided about one of the orders at the same time"
    );
    Ok(())
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
