use jiff_sqlx::ToSqlx;
use sqlx::PgPool;
use uuid::Uuid;

use super::find::{LetterFilter, bound, matching};
use super::lock::alone;

/// Discards letters that are open. Answers how many.
pub async fn discard_letters(
    pool: &PgPool,
    by: &str,
    why: &str,
    letters: &[Uuid],
) -> sqlx::Result<i64> {
    let mut tx = alone(pool).await?;
    let count = sqlx::query_scalar(
        "with discarded as (
             update letters set state = 'discarded', discarded_by = $1, discarded_at = clock_timestamp(),
                                discarded_why = $2
             where id = any($3) and state = 'open'
             returning id
         ), noted as (
             insert into letter_history (letter_id, at, who, what, detail)
             select id, clock_timestamp(), $1, 'discarded', $2 from discarded
         )
         select count(*) from discarded",
    )
    .bind(by)
    .bind(why)
    .bind(letters)
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(count)
}

/// Opens discarded letters again, unless another one for the same message is open by now. Answers how many.
pub async fn restore_letters(pool: &PgPool, by: &str, letters: &[Uuid]) -> sqlx::Result<i64> {
    let mut tx = alone(pool).await?;
    let count = sqlx::query_scalar(
        "with restored as (
             update letters set state = 'open', discarded_by = null, discarded_at = null, discarded_why = null
             where id in (select distinct on (key) id from letters
                          where id = any($2) and state = 'discarded' order by key, id desc)
               and not exists (select from letters other where other.key = letters.key
                               and other.state in ('open', 'replaying', 'sent'))
             returning id
         ), noted as (
             insert into letter_history (letter_id, at, who, what)
             select id, clock_timestamp(), $1, 'restored' from restored
         )
         select count(*) from restored",
    )
    .bind(by)
    .bind(letters)
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(count)
}

/// The letters in this state that match, in the order in which they are replayed.
pub async fn matching_letters(
    db: &PgPool,
    filter: &LetterFilter,
    state: &str,
) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = matching!(
        "select l.id from letters l",
        "and l.state = $8 order by l.id"
    );
    let query = bound!(sqlx::query_scalar(SQL), filter);
    query.bind(state).fetch_all(db).await
}
