use sqlx::PgPool;
use uuid::Uuid;

/// What happened to a letter.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Entry {
    /// When.
    pub at: jiff_sqlx::Timestamp,
    /// Who has done it: a service, or somebody by name.
    pub who: Option<String>,
    /// `failed`, `failed-again`, `edited`, `replayed`, `handled`, `recognised` (handled before), `stopped`,
    /// `discarded` or `restored`.
    pub what: String,
    /// Why, or how it ended.
    pub detail: Option<String>,
}

/// The last 500 things that happened to a letter, in their order.
pub async fn history(db: &PgPool, letter: Uuid) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as(
        "select * from (select * from letter_history where letter_id = $1 order by number desc limit 500) newest
         order by number",
    )
    .bind(letter)
    .fetch_all(db)
    .await
}

/// A number that rises with everything that happens to any letter.
pub async fn changes_of_letters(db: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce(max(number), 0) from letter_history")
        .fetch_one(db)
        .await
}
