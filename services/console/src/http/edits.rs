use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use runtime::http::{Admin, Json, Path, Problem, Valid, printable, whole_number};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::letter::{Draft, missing};
use super::{Api, writable};
use crate::office::{About, Change, changes, check, searched};
use crate::store::{self, Revised};

/// What a letter shall contain.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "by": "Ada", "base": 0, "message_type": "spillway.release-stock.v1",
    "body": "{\"order_id\": \"019ac1d2-7c8e-7000-8000-000000000001\"}",
}))]
pub(super) struct Edit {
    /// Who edits.
    #[garde(length(chars, min = 1, max = 60), custom(printable))]
    #[schema(min_length = 1, max_length = 60)]
    by: String,
    /// The revision on which this is based.
    #[garde(range(min = 0, max = i64::from(i32::MAX)))]
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    #[serde(deserialize_with = "whole_number")]
    base: i64,
    /// The type of the message.
    #[garde(inner(length(bytes, max = 255), custom(printable)))]
    message_type: Option<String>,
    /// The id of the message: only for one that has none.
    #[garde(inner(length(bytes, max = 255), custom(printable)))]
    message_id: Option<String>,
    /// The body, as text.
    #[garde(skip)]
    body: String,
}

/// What was saved.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Saved {
    /// Number of the revision.
    revision: i32,
}

/// Keep what somebody is writing
///
/// Nothing is checked, and nothing is sent. It takes the place of what the same person had written before.
#[utoipa::path(
    put,
    path = "/api/console/letters/{letter}/draft",
    tag = "dead letters",
    params(("letter" = Uuid, Path, description = "Id of the letter")),
    request_body = Edit,
    security(("admin" = [])),
    responses(
        (status = 200, description = "The draft", body = Draft),
        (status = 403, description = "The console is read-only"),
        (status = 404, description = "No such letter"),
    )
)]
pub(super) async fn save_draft(
    _: Admin,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Valid(edit): Valid<Edit>,
) -> Result<Json<Draft>, Problem> {
    writable(&api)?;
    let draft = store::save_draft(&api.live.pool, id, &edit.into()).await?;
    let draft = draft.ok_or_else(|| missing(id))?;
    Ok(Json(draft.into()))
}

/// Mend a dead letter
///
/// The message is checked by the schema of its type and by the decoding of its consumer. The original stays as it
/// came; a replay sends the newest revision.
#[utoipa::path(
    post,
    path = "/api/console/letters/{letter}/revisions",
    tag = "dead letters",
    params(("letter" = Uuid, Path, description = "Id of the letter")),
    request_body = Edit,
    security(("admin" = [])),
    responses(
        (status = 201, description = "Its consumer will take the message", body = Saved),
        (status = 403, description = "The console is read-only"),
        (status = 404, description = "No such letter"),
        (status = 409, description = "Somebody else was first, or the letter is not open"),
        (status = 422, description = "Its consumer would not take it; `errors` names `message_type`, or `body` with a JSON pointer"),
    )
)]
pub(super) async fn revise(
    _: Admin,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Valid(edit): Valid<Edit>,
) -> Result<(StatusCode, Json<Saved>), Problem> {
    writable(&api)?;
    let pool = &api.live.pool;
    let letter = store::letter(pool, id).await?.ok_or_else(|| missing(id))?;
    if letter.state != "open" {
        return Err(Problem::conflict(closed(&letter)));
    }
    let newer = || {
        Problem::conflict(format!(
            "somebody else has saved revision {} meanwhile",
            letter.revision
        ))
    };
    if i64::from(letter.revision) != edit.base {
        return Err(newer());
    }
    right(&letter, &edit)?;
    let before = store::revision(pool, id, letter.revision).await?;
    let before = before.map(|before| before.body).unwrap_or_default();
    let mut all = changes(&before, edit.body.as_bytes());
    if edit.message_type != letter.message_type {
        all.insert(
            0,
            Change {
                pointer: "type".to_owned(),
                before: letter.message_type.clone(),
                after: edit.message_type.clone(),
            },
        );
    }
    if edit.message_id.is_some() && edit.message_id != letter.message_id {
        all.insert(
            0,
            Change {
                pointer: "id".to_owned(),
                before: None,
                after: edit.message_id.clone(),
            },
        );
    }
    let about = About::of(edit.body.as_bytes());
    let revised = Revised {
        changes: json!(all),
        order_id: about.order_id,
        version: about.version,
        search: searched(
            &[&letter.message_id, &edit.message_id, &edit.message_type],
            &letter.reason,
            &letter.headers,
            edit.body.as_bytes(),
        ),
    };
    match store::revise(pool, id, &edit.into(), &revised).await? {
        Some(revision) => Ok((StatusCode::CREATED, Json(Saved { revision }))),
        // It has changed since it was looked at.
        None => match store::letter(pool, id).await? {
            Some(letter) if letter.state != "open" => Err(Problem::conflict(closed(&letter))),
            _ => Err(newer()),
        },
    }
}

/// What its consumer would refuse is refused here, by name.
fn right(letter: &store::Letter, edit: &Edit) -> Result<(), Problem> {
    let refused = "the consumer of this letter would not take it";
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, refused);
    let mut is_right = true;
    let mut wrong = |field: String, message: String| {
        is_right = false;
        problem = std::mem::replace(&mut problem, Problem::bad_request("")).field(field, message);
    };
    // One that is no UUID is as good as none.
    let kept = letter.message_id.as_ref();
    let kept = kept.filter(|id| Uuid::try_parse(id).is_ok());
    match (kept, &edit.message_id) {
        (Some(kept), Some(other)) if kept != other => {
            wrong(
                "message_id".to_owned(),
                "the id of a message cannot be changed".to_owned(),
            );
        }
        (None, Some(id)) if id.parse::<Uuid>().is_err() => {
            wrong("message_id".to_owned(), "expected a UUID".to_owned());
        }
        (None, None) => wrong(
            "message_id".to_owned(),
            "the message has no id and needs one".to_owned(),
        ),
        _ => {}
    }
    let message_type = edit.message_type.as_deref().unwrap_or_default();
    let target = letter.target.as_deref().unwrap_or_default();
    for found in check(target, message_type, edit.body.as_bytes()) {
        wrong(found.field, found.message);
    }
    if is_right { Ok(()) } else { Err(problem) }
}

/// Why nothing can be done with a letter that is not open.
pub(super) fn closed(letter: &store::Letter) -> String {
    let done_at = letter.replay.done_at.map(|at| at.to_jiff());
    match (letter.state.as_str(), done_at) {
        ("handled", Some(at)) => format!("already handled at {at}"),
        ("discarded", _) => "it is discarded: restore it first".to_owned(),
        _ => "it is being replayed".to_owned(),
    }
}

impl From<Edit> for store::Edit {
    fn from(edit: Edit) -> Self {
        Self {
            by: edit.by,
            base: i32::try_from(edit.base).unwrap_or_default(),
            message_type: edit.message_type,
            message_id: edit.message_id,
            body: edit.body.into_bytes(),
        }
    }
}
