use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use runtime::http::{Admin, Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::json::Letter;
use super::letters::attachment;
use crate::store;

/// A text that is longer is shown in hexadecimal digits, as what is no text.
const TEXT: usize = 65_536;
/// No more of a body is read: by one byte more it is known to be longer.
const READ: i32 = 65_537;
/// What is no text is shown so far.
const HEX: usize = 4_096;

/// A dead letter with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LetterInFull {
    #[serde(flatten)]
    letter: Letter,
    /// Each with `name`, `value` and `encoding`: `text`, `base64` of what is not UTF-8, `json` of what is no string.
    headers: Value,
    /// The properties of AMQP.
    properties: Value,
    /// What a replay sends.
    body: Body,
    /// As it came, if it was edited since.
    original: Option<Original>,
    /// Its edits, the newest first.
    revisions: Vec<Revision>,
    /// What somebody is writing and has not saved.
    draft: Option<Draft>,
    /// The message types that its consumer knows.
    types: &'static [&'static str],
    /// What happened to it.
    history: Vec<Entry>,
}

/// A body of any bytes.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = LetterBody)]
struct Body {
    /// If it is UTF-8, contains no NUL and is not longer than 64 KiB.
    text: Option<String>,
    /// Otherwise its beginning in hexadecimal digits.
    hex: Option<String>,
    /// So many bytes are shown.
    shown: usize,
    /// Of so many.
    size: usize,
}

/// A letter as it came.
#[derive(Debug, Serialize, ToSchema)]
struct Original {
    message_type: Option<String>,
    message_id: Option<String>,
    body: Body,
}

/// One edit.
#[derive(Debug, Serialize, ToSchema)]
struct Revision {
    number: i32,
    by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Each with `pointer`, `before` and `after`.
    changes: Value,
}

/// What somebody is writing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Draft {
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    base: i32,
    message_type: Option<String>,
    message_id: Option<String>,
    body: String,
}

/// What happened to a letter.
#[derive(Debug, Serialize, ToSchema)]
struct Entry {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// A service, an instance, or somebody by name.
    who: Option<String>,
    /// `failed`, `failed-again`, `edited`, `replayed`, `handled`, `recognised` (handled before), `stopped`,
    /// `discarded` or `restored`.
    what: String,
    detail: Option<String>,
}

/// Which edit of a letter.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Number of the revision, 0 as it came; the newest by default.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    revision: Option<i32>,
}

/// Show one dead letter
#[utoipa::path(
    get,
    path = "/api/console/letters/{letter}",
    tag = "dead letters",
    params(("letter" = Uuid, Path, description = "Id of the letter")),
    security(("admin" = [])),
    responses(
        (status = 200, description = "The letter", body = LetterInFull),
        (status = 404, description = "No such letter"),
    )
)]
pub(super) async fn get_letter(
    _: Admin,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<LetterInFull>, Problem> {
    api.live.is_asked();
    let pool = &api.live.pool;
    let letter = store::letter(pool, id).await?.ok_or_else(|| missing(id))?;
    let newest = store::beginning(pool, id, letter.revision, READ).await?;
    let original = match letter.revision {
        0 => None,
        _ => store::beginning(pool, id, 0, READ).await?,
    };
    let revisions = store::revisions(pool, id).await?.into_iter();
    let history = store::history(pool, id).await?.into_iter();
    let (headers, properties) = (letter.headers.clone(), letter.properties.clone());
    let letter = Letter::from(letter);
    Ok(Json(LetterInFull {
        types: letter.types(),
        letter,
        headers,
        properties,
        body: newest.map_or_else(Body::default, |(newest, size)| Body::of(newest.body, size)),
        original: original.map(|(original, size)| Original {
            message_type: original.message_type,
            message_id: original.message_id,
            body: Body::of(original.body, size),
        }),
        revisions: revisions
            .map(|revision| Revision {
                number: revision.number,
                by: revision.by,
                at: revision.at.to_jiff(),
                changes: revision.changes,
            })
            .collect(),
        draft: store::draft(pool, id).await?.map(Draft::from),
        history: history
            .map(|entry| Entry {
                at: entry.at.to_jiff(),
                who: entry.who,
                what: entry.what,
                detail: entry.detail,
            })
            .collect(),
    }))
}

/// Download the body of a dead letter
#[utoipa::path(
    get,
    path = "/api/console/letters/{letter}/body",
    tag = "dead letters",
    params(("letter" = Uuid, Path, description = "Id of the letter"), Which),
    security(("admin" = [])),
    responses(
        (status = 200, description = "The body, byte for byte", content_type = "application/octet-stream"),
        (status = 404, description = "No such letter or revision"),
    )
)]
pub(super) async fn get_body(
    _: Admin,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let pool = &api.live.pool;
    let letter = store::letter(pool, id).await?.ok_or_else(|| missing(id))?;
    let number = which.revision.unwrap_or(letter.revision);
    let revision = store::revision(pool, id, number).await?;
    let revision = revision
        .ok_or_else(|| Problem::not_found(format!("letter {id} has no revision {number}")))?;
    Ok(attachment(&format!("{id}.bin"), revision.body))
}

pub(super) fn missing(id: Uuid) -> Problem {
    Problem::not_found(format!("there is no letter {id}"))
}

impl Body {
    /// The beginning of a body, and how long all of it is.
    fn of(beginning: Vec<u8>, size: i32) -> Self {
        let size = usize::try_from(size).unwrap_or_default();
        match String::from_utf8(beginning) {
            Ok(text) if size <= TEXT && !text.contains('\0') => Self {
                text: Some(text),
                hex: None,
                shown: size,
                size,
            },
            Ok(text) => Self::hex(text.as_bytes(), size),
            Err(error) => Self::hex(error.as_bytes(), size),
        }
    }

    fn hex(beginning: &[u8], size: usize) -> Self {
        let shown = &beginning[..beginning.len().min(HEX)];
        let digits = shown.iter().map(|byte| format!("{byte:02x}"));
        Self {
            text: None,
            hex: Some(digits.collect()),
            shown: shown.len(),
            size,
        }
    }
}

impl From<store::Draft> for Draft {
    fn from(draft: store::Draft) -> Self {
        Self {
            by: draft.by,
            at: draft.at.to_jiff(),
            base: draft.base,
            message_type: draft.message_type,
            message_id: draft.message_id,
            body: String::from_utf8_lossy(&draft.body).into_owned(),
        }
    }
}
