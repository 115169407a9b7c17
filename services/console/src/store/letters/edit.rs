use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

/// What a letter contains, as it came or as somebody has mended it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Revision {
    /// 0 as it came.
    pub number: i32,
    /// When.
    pub at: jiff_sqlx::Timestamp,
    /// Who has mended it.
    pub by: Option<String>,
    /// The type of the message.
    pub message_type: Option<String>,
    /// Its id.
    pub message_id: Option<String>,
    /// Its body; not read where many revisions are listed.
    pub body: Vec<u8>,
    /// What it changes.
    pub changes: Value,
}

#[derive(sqlx::FromRow)]
struct Beginning {
    #[sqlx(flatten)]
    revision: Revision,
    size: i32,
}

/// What somebody is writing and has not saved.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Draft {
    /// Who.
    pub by: String,
    /// When.
    pub at: jiff_sqlx::Timestamp,
    /// On which revision it is based.
    pub base: i32,
    /// The type of the message.
    pub message_type: Option<String>,
    /// Its id.
    pub message_id: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What somebody wants a letter to contain.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Who.
    pub by: String,
    /// On which revision it is based.
    pub base: i32,
    /// The type of the message.
    pub message_type: Option<String>,
    /// Its id.
    pub message_id: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a letter becomes by an edit.
#[derive(Debug, Clone)]
pub struct Revised {
    /// What the edit changes.
    pub changes: Value,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// Which version of the order.
    pub version: Option<i32>,
    /// In what it is looked for.
    pub search: String,
}

/// The beginning of one revision, and how many bytes its body has.
pub async fn beginning(
    db: &PgPool,
    letter: Uuid,
    number: i32,
    length: i32,
) -> sqlx::Result<Option<(Revision, i32)>> {
    let revision: Option<Beginning> = sqlx::query_as(
        "select number, at, by, message_type, message_id, substring(body for $3) as body, changes,
                octet_length(body) as size
         from letter_revisions where letter_id = $1 and number = $2",
    )
    .bind(letter)
    .bind(number)
    .bind(length)
    .fetch_optional(db)
    .await?;
    Ok(revision.map(|beginning| (beginning.revision, beginning.size)))
}

/// One revision of a letter.
pub async fn revision(db: &PgPool, letter: Uuid, number: i32) -> sqlx::Result<Option<Revision>> {
    sqlx::query_as("select * from letter_revisions where letter_id = $1 and number = $2")
        .bind(letter)
        .bind(number)
        .fetch_optional(db)
        .await
}

/// The last 100 edits of a letter, without their bodies.
pub async fn revisions(db: &PgPool, letter: Uuid) -> sqlx::Result<Vec<Revision>> {
    sqlx::query_as(
        "select number, at, by, message_type, message_id, ''::bytea as body, changes from letter_revisions
         where letter_id = $1 and number > 0 order by number desc limit 100",
    )
    .bind(letter)
    .fetch_all(db)
    .await
}

/// The newest draft of a letter.
pub async fn draft(db: &PgPool, letter: Uuid) -> sqlx::Result<Option<Draft>> {
    sqlx::query_as("select * from letter_drafts where letter_id = $1 order by at desc limit 1")
        .bind(letter)
        .fetch_optional(db)
        .await
}

/// Keeps what somebody is writing, in place of what he had written before. Nothing if there is no such letter.
pub async fn save_draft(db: &PgPool, letter: Uuid, edit: &Edit) -> sqlx::Result<Option<Draft>> {
    sqlx::query_as(
        "insert into letter_drafts (letter_id, by, at, base, message_type, message_id, body)
         select id, $2, clock_timestamp(), $3, $4, $5, $6 from letters where id = $1
         on conflict (letter_id, by) do update set
             at = excluded.at, base = excluded.base, message_type = excluded.message_type,
             message_id = excluded.message_id, body = excluded.body
         returning *",
    )
    .bind(letter)
    .bind(&edit.by)
    .bind(edit.base)
    .bind(&edit.message_type)
    .bind(&edit.message_id)
    .bind(&edit.body)
    .fetch_optional(db)
    .await
}

/// Adds a revision if the letter is open and nobody else was first; answers its number. The draft is done with.
pub async fn revise(
    db: &PgPool,
    letter: Uuid,
    edit: &Edit,
    revised: &Revised,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "with revised as (
             update letters set revision = revision + 1, message_type = $4, message_id = coalesce($5, message_id),
                                size = octet_length($6), order_id = $8, version = $9, search = $10
             where id = $1 and revision = $3 and state = 'open'
             returning id, revision, message_id
         ), added as (
             insert into letter_revisions (letter_id, number, at, by, message_type, message_id, body, changes)
             select id, revision, clock_timestamp(), $2, $4, message_id, $6, $7 from revised
         ), noted as (
             insert into letter_history (letter_id, at, who, what, detail)
             select id, clock_timestamp(), $2, 'edited', 'revision ' || revision from revised
         ), done as (
             delete from letter_drafts where by = $2 and letter_id in (select id from revised)
         )
         select revision from revised",
    )
    .bind(letter)
    .bind(&edit.by)
    .bind(edit.base)
    .bind(&edit.message_type)
    .bind(&edit.message_id)
    .bind(&edit.body)
    .bind(&revised.changes)
    .bind(revised.order_id)
    .bind(revised.version)
    .bind(&revised.search)
    .fetch_optional(db)
    .await
}
