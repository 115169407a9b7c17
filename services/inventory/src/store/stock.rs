use std::collections::BTreeMap;

use anyhow::Context;
use contracts::Line;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::{Level, Reservation, Status, Stock};

/// Locks what was decided for these orders before, and then the stock of these products and of those that are set
/// aside for the orders. What does not exist is not in the answer, except up to which order decisions were removed.
pub async fn lock(
    db: &mut PgConnection,
    order_ids: &[Uuid],
    skus: &[&str],
) -> anyhow::Result<Stock> {
    let rows: Vec<LockedRow> = sqlx::query_as(
        // The array is known before any row of the stock is looked at, so all reservations are locked by then.
        "with decided as materialized (
             select order_id, status, lines, reason, version from reservations
             where order_id = any($1) order by order_id for update
         ), levels as materialized (
             select sku, available, reserved, sold, version from stock
             where sku = any($2 || array(select line ->> 'sku'
                                         from decided, jsonb_array_elements(decided.lines) as line))
             order by sku for update
         )
         select order_id, status, lines, reason, null as sku,
                0::bigint as available, 0::bigint as reserved, 0::bigint as sold, version::bigint
         from decided
         union all
         select null, null, null, null, sku, available, reserved, sold, version from levels
         union all
         select up_to, null, null, null, null, 0, 0, 0, 0 from removals where what = 'reservations'",
    )
    .bind(order_ids)
    .bind(skus)
    .fetch_all(db)
    .await?;
    let (mut levels, mut reservations) = (BTreeMap::new(), BTreeMap::new());
    let mut removed_up_to = None;
    for row in rows {
        match row {
            LockedRow {
                sku: Some(sku),
                level,
                ..
            } => drop(levels.insert(sku, level)),
            LockedRow {
                order_id: Some(order_id),
                status: Some(status),
                lines: Some(Json(lines)),
                reason,
                level,
                ..
            } => {
                let status =
                    Status::from_name(&status).context("unknown status of a reservation")?;
                let version = i32::try_from(level.version)?;
                let reservation = Reservation {
                    status,
                    lines,
                    reason,
                    version,
                };
                reservations.insert(order_id, reservation);
            }
            LockedRow {
                order_id: Some(order_id),
                status: None,
                ..
            } => removed_up_to = Some(order_id),
            LockedRow { .. } => anyhow::bail!("a row of neither reservations nor stock"),
        }
    }
    Ok(Stock::new(levels, reservations).removed_up_to(removed_up_to))
}

/// A reservation, or the level of a product, both of which have a version, or up to which order decisions were removed.
#[derive(FromRow)]
struct LockedRow {
    order_id: Option<Uuid>,
    status: Option<String>,
    lines: Option<Json<Vec<Line>>>,
    reason: Option<String>,
    sku: Option<String>,
    #[sqlx(flatten)]
    level: Level,
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
/// had no row that could have been locked. Trying again finds that row. And when pieces are to be set aside for an order
/// whose decision was removed meanwhile. Trying again finds up to which order that was done.
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
         select new.* from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::int[], $10::text[])
                           as new (order_id, status, lines, version, reason)
         where (new.version = 1 and new.lines <> '[]'
                and new.order_id <= (select up_to from removals where what = 'reservations')) is not true
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
