use sqlx::PgPool;
use uuid::Uuid;

use crate::store::letters::alone;

/// A set of letters to be replayed together.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id.
    pub id: Uuid,
    /// Who wants it.
    pub by: String,
    /// How many letters a second.
    pub rate: i32,
    /// Which letters.
    pub letters: Vec<Uuid>,
    /// Leaves out those that are overtaken.
    pub without_overtaken: bool,
}

/// Freezes the set: what is open, has an id and a consumer to go to. Answers how many letters that are; the job is
/// not there if it is none.
pub async fn create_job(pool: &PgPool, new: &NewJob) -> sqlx::Result<i64> {
    let mut tx = alone(pool).await?;
    sqlx::query(
        "insert into jobs (id, state, rate, by, at, due_at)
         values ($1, 'running', $2, $3, clock_timestamp(), clock_timestamp())",
    )
    .bind(new.id)
    .bind(new.rate)
    .bind(&new.by)
    .execute(&mut *tx)
    .await?;
    const SQL: &str = concat!(
        "with taken as (
             update letters set state = 'replaying'
             where id in (select l.id from letters l left join orders o on o.id = l.order_id
                          where l.id = any($3) and l.state = 'open' and l.target is not null
                            and l.message_id is not null and l.message_type is not null
                            and not ($4 and ",
        crate::store::letters::overtaken!(),
        ") for update of l)
             returning id, revision, order_id, version, doubt
         ), added as (
             insert into replays (job_id, letter_id, position, revision, order_id, state, doubt)
             -- Those of one order in the order of its versions.
             select $1, id, row_number() over (order by coalesce(version, 0), id), revision, order_id, 'waiting', doubt
             from taken
         ), noted as (
             insert into letter_history (letter_id, at, who, what, detail)
             select id, clock_timestamp(), $2, 'replayed', 'revision ' || revision from taken
         )
         select count(*) from taken"
    );
    let count: i64 = sqlx::query_scalar(SQL)
        .bind(new.id)
        .bind(&new.by)
        .bind(&new.letters)
        .bind(new.without_overtaken)
        .fetch_one(&mut *tx)
        .await?;
    match count {
        0 => tx.rollback().await?,
        _ => tx.commit().await?,
    }
    Ok(count)
}
