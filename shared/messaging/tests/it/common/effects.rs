use messaging::{Failure, Handler, Received, Tx};
use sqlx::PgPool;
use uuid::Uuid;

use super::Parcel;

/// Leaves an effect of every parcel in the database.
pub(crate) fn record_all() -> impl Handler<Message = Parcel> {
    record_if(|_| Ok(()))
}

/// Leaves an effect of a parcel in the database, unless `decide` has another idea.
pub(crate) fn record_if<F>(decide: F) -> impl Handler<Message = Parcel>
where
    F: Fn(&Received<Parcel>) -> Result<(), Failure> + Send + Sync + 'static,
{
    Record { decide }
}

struct Record<F> {
    decide: F,
}

impl<F> Handler for Record<F>
where
    F: Fn(&Received<Parcel>) -> Result<(), Failure> + Send + Sync + 'static,
{
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
        (self.decide)(message)?;
        record(tx, message).await
    }
}

/// The effect of a parcel: a row for each time that it was handled.
pub(crate) async fn record(tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
    sqlx::query("insert into effects (message_id, key, number) values ($1, $2, $3)")
        .bind(message.id)
        .bind(&message.body.key)
        .bind(message.body.number)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(crate) async fn create(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::raw_sql(
        "create table effects (
             n bigint generated always as identity primary key,
             message_id uuid not null,
             key text not null,
             number bigint not null)",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// All effects in the order in which they happened.
pub(crate) async fn all(pool: &PgPool) -> sqlx::Result<Vec<(Uuid, String, i64)>> {
    sqlx::query_as("select message_id, key, number from effects order by n")
        .fetch_all(pool)
        .await
}
