use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool, Row};

use super::column;

/// A span that a service has exported.
#[derive(Debug, Clone)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: Vec<u8>,
    /// Its own id.
    pub span_id: Vec<u8>,
    /// The span that it is part of; empty if there is none.
    pub parent_id: Vec<u8>,
    /// What was done.
    pub name: String,
    /// By which service.
    pub service: String,
    /// And by which instance of it.
    pub instance: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in microseconds.
    pub duration_us: i64,
    /// What else is known, by the semantic conventions of OpenTelemetry.
    pub attributes: Map<String, Value>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Stores spans; one that is stored already stays as it is.
pub async fn save_spans(db: &PgPool, spans: &[Span]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into spans (trace_id, span_id, parent_id, name, service, instance, started_at, duration_us, attributes,
                            error)
         select * from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[],
                              $7::timestamptz[], $8::bigint[], $9::jsonb[], $10::text[])
         on conflict do nothing",
    )
    .bind(column(spans, |span| span.trace_id.as_slice()))
    .bind(column(spans, |span| span.span_id.as_slice()))
    .bind(column(spans, |span| span.parent_id.as_slice()))
    .bind(column(spans, |span| span.name.as_str()))
    .bind(column(spans, |span| span.service.as_str()))
    .bind(column(spans, |span| span.instance.as_str()))
    .bind(column(spans, |span| span.started_at.to_sqlx()))
    .bind(column(spans, |span| span.duration_us))
    .bind(column(spans, |span| Json(&span.attributes)))
    .bind(column(spans, |span| span.error.as_deref()))
    .execute(db)
    .await?;
    Ok(())
}

/// The spans of these traces, at most 500, in the order in which they began.
pub async fn spans_of(db: &PgPool, traces: &[Vec<u8>]) -> sqlx::Result<Vec<Span>> {
    sqlx::query_as(
        "select * from spans where trace_id = any($1) order by started_at, span_id limit 500",
    )
    .bind(traces)
    .fetch_all(db)
    .await
}

/// Forgets spans that are older than a day, at most 10,000 in a call; answers how many.
pub async fn forget_spans(db: &PgPool) -> sqlx::Result<u64> {
    let forgotten = sqlx::query(
        "delete from spans where (trace_id, span_id) in (
             select trace_id, span_id from spans where started_at < now() - interval '1 day'
             order by started_at limit 10000)",
    );
    Ok(forgotten.execute(db).await?.rows_affected())
}

impl FromRow<'_, PgRow> for Span {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let started_at: jiff_sqlx::Timestamp = row.try_get("started_at")?;
        let Json(attributes) = row.try_get("attributes")?;
        Ok(Self {
            trace_id: row.try_get("trace_id")?,
            span_id: row.try_get("span_id")?,
            parent_id: row.try_get("parent_id")?,
            name: row.try_get("name")?,
            service: row.try_get("service")?,
            instance: row.try_get("instance")?,
            started_at: started_at.to_jiff(),
            duration_us: row.try_get("duration_us")?,
            attributes,
            error: row.try_get("error")?,
        })
    }
}
