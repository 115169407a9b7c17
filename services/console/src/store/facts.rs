use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, Row};
use uuid::Uuid;

use super::column;

/// Where a record about an order is, and what has to be known to list it.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Name of its topic.
    pub topic: String,
    /// Number of its partition.
    pub partition: i32,
    /// Its place there.
    pub offset: i64,
    /// Its CloudEvents type.
    pub message_type: String,
    /// When it was written, by the clock of its producer.
    pub time: Timestamp,
    /// When it was read.
    pub recorded_at: Timestamp,
    /// The order.
    pub order_id: Uuid,
    /// The version of the order that it made, if it did.
    pub version: Option<i32>,
    /// Why, where it says so.
    pub reason: Option<String>,
    /// The trace that it belongs to, if that is exported.
    pub trace_id: Option<Vec<u8>>,
}

/// Stores facts, those of one type in one row, and counts them.
///
/// One that comes again, after a crash or because its partition has just moved, is stored once more and read as one. It
/// could be in any of thousands of rows, and whoever looked for a thousand of them there would be stopped by the limit of a
/// statement, time and again.
pub async fn save_facts(db: &mut PgConnection, facts: &[Fact]) -> sqlx::Result<()> {
    sqlx::query(
        r#"with come as (
             select * from unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::timestamptz[],
                                  $6::timestamptz[], $7::uuid[], $8::int[], $9::text[], $10::bytea[])
                 as fact (topic, partition, "offset", type, written, recorded_at, order_id, version, reason, trace_id)
         ), lists as (
             select topic, type, min(recorded_at) as recorded_at,
                    array_agg(order_id order by order_id, "offset") as order_ids,
                    array_agg(partition order by order_id, "offset") as partitions,
                    array_agg("offset" order by order_id, "offset") as offsets,
                    array_agg(written order by order_id, "offset") as times,
                    case when count(version) > 0 then array_agg(version order by order_id, "offset") end as versions,
                    case when count(reason) > 0 then array_agg(reason order by order_id, "offset") end as reasons,
                    case when count(trace_id) > 0 then array_agg(trace_id order by order_id, "offset") end as trace_ids
             from come group by topic, type
         ), stored as (
             insert into gathered_facts (topic, type, recorded_at, orders, order_ids, partitions, offsets, times,
                                         versions, reasons, trace_ids)
             select topic, type, recorded_at, order_range(order_ids[1], order_ids[cardinality(order_ids)], '[]'),
                    order_ids, partitions, offsets, times, versions, reasons, trace_ids
             from lists
         )
         insert into noted as known (topic, partition, facts)
         select topic, partition, count(*) from come group by topic, partition order by topic, partition
         on conflict (topic, partition) do update set facts = known.facts + excluded.facts"#,
    )
    .bind(column(facts, |fact| fact.topic.as_str()))
    .bind(column(facts, |fact| fact.partition))
    .bind(column(facts, |fact| fact.offset))
    .bind(column(facts, |fact| fact.message_type.as_str()))
    .bind(column(facts, |fact| fact.time.to_sqlx()))
    .bind(column(facts, |fact| fact.recorded_at.to_sqlx()))
    .bind(column(facts, |fact| fact.order_id))
    .bind(column(facts, |fact| fact.version))
    .bind(column(facts, |fact| fact.reason.as_deref()))
    .bind(column(facts, |fact| fact.trace_id.as_deref()))
    .execute(db)
    .await?;
    Ok(())
}

/// The facts about an order, in the order in which they were written, also those that an older console has stored.
pub async fn facts_of(db: &PgPool, order_id: Uuid) -> sqlx::Result<Vec<Fact>> {
    sqlx::query_as(
        r#"with known as (
             select topic, partition, "offset", type, time, recorded_at, order_id, version, reason, trace_id
             from facts where order_id = $1
             union all
             select list.topic, one.partition, one."offset", list.type, one.written, list.recorded_at, one.order_id,
                    one.version, one.reason, one.trace_id
             from gathered_facts list,
                 unnest(list.order_ids, list.partitions, list.offsets, list.times, list.versions, list.reasons,
                        list.trace_ids)
                     as one (order_id, partition, "offset", written, version, reason, trace_id)
             where list.orders @> $1::uuid and $1 = any(list.order_ids) and one.order_id = $1
         ), once as (
             select distinct on (topic, partition, "offset", type) * from known
             order by topic, partition, "offset", type, recorded_at
         )
         select * from once order by time, version, topic"#,
    )
    .bind(order_id)
    .fetch_all(db)
    .await
}

/// Numbers that rise with every fact, and with every change of the stock.
pub async fn news(db: &PgPool) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "select (select coalesce(sum(facts), 0)::bigint from noted),
                (select coalesce(sum(version), 0)::bigint from stock)",
    )
    .fetch_one(db)
    .await
}

impl FromRow<'_, PgRow> for Fact {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let time: jiff_sqlx::Timestamp = row.try_get("time")?;
        let recorded_at: jiff_sqlx::Timestamp = row.try_get("recorded_at")?;
        Ok(Self {
            topic: row.try_get("topic")?,
            partition: row.try_get("partition")?,
            offset: row.try_get("offset")?,
            message_type: row.try_get("type")?,
            time: time.to_jiff(),
            recorded_at: recorded_at.to_jiff(),
            order_id: row.try_get("order_id")?,
            version: row.try_get("version")?,
            reason: row.try_get("reason")?,
            trace_id: row.try_get("trace_id")?,
        })
    }
}
