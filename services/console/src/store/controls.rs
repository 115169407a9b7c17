use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Row};

/// What somebody wants a service to be like for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The service, all instances of it.
    pub service: String,
    /// It takes no messages.
    pub pause: bool,
    /// How much longer it takes for each message, in milliseconds.
    pub slow_ms: u32,
    /// How many of a hundred messages fail.
    pub fail_percent: u32,
    /// Whether they fail for good.
    pub permanent: bool,
    /// No e-mail leaves.
    pub refuse_email: bool,
    /// Who wants it.
    pub set_by: String,
    /// Since when.
    pub set_at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// All that is wanted now.
pub async fn controls(db: &PgPool) -> sqlx::Result<Vec<Control>> {
    sqlx::query_as("select * from controls where until > clock_timestamp() order by service")
        .fetch_all(db)
        .await
}

/// Wants something of a service for a while, in place of what was wanted before. Answers with the times, which
/// are those of the database.
pub async fn set_control(
    db: &PgPool,
    control: &Control,
    lasting: Duration,
) -> sqlx::Result<Control> {
    sqlx::query_as(
        "insert into controls (service, pause, slow_ms, fail_percent, fail_kind, refuse_email, set_by, set_at, until)
         values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), clock_timestamp() + make_interval(secs => $8))
         on conflict (service) do update set
             pause = excluded.pause, slow_ms = excluded.slow_ms, fail_percent = excluded.fail_percent,
             fail_kind = excluded.fail_kind, refuse_email = excluded.refuse_email, set_by = excluded.set_by,
             set_at = excluded.set_at, until = excluded.until
         returning *",
    )
    .bind(&control.service)
    .bind(control.pause)
    .bind(i32::try_from(control.slow_ms).unwrap_or(i32::MAX))
    .bind(i32::try_from(control.fail_percent).unwrap_or(i32::MAX))
    .bind(if control.permanent { "permanent" } else { "transient" })
    .bind(control.refuse_email)
    .bind(&control.set_by)
    .bind(lasting.as_secs_f64())
    .fetch_one(db)
    .await
}

/// Wants nothing of a service any more.
pub async fn lift_control(db: &PgPool, service: &str) -> sqlx::Result<()> {
    sqlx::query("delete from controls where service = $1")
        .bind(service)
        .execute(db)
        .await?;
    Ok(())
}

impl FromRow<'_, PgRow> for Control {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let number = |column| -> sqlx::Result<u32> {
            let number: i32 = row.try_get(column)?;
            Ok(u32::try_from(number).unwrap_or_default())
        };
        let time = |column| -> sqlx::Result<Timestamp> {
            let time: jiff_sqlx::Timestamp = row.try_get(column)?;
            Ok(time.to_jiff())
        };
        let fail_kind: String = row.try_get("fail_kind")?;
        Ok(Self {
            service: row.try_get("service")?,
            pause: row.try_get("pause")?,
            slow_ms: number("slow_ms")?,
            fail_percent: number("fail_percent")?,
            permanent: fail_kind == "permanent",
            refuse_email: row.try_get("refuse_email")?,
            set_by: row.try_get("set_by")?,
            set_at: time("set_at")?,
            until: time("until")?,
        })
    }
}
