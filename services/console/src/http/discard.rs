use axum::extract::State;
use garde::Validate;
use runtime::http::{Admin, Json, Problem, Valid, maybe_whole_number, printable};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::letters::Search;
use super::{Api, Set, writable};
use crate::store;

/// Letters that nobody needs.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "Ada", "reason": "a test", "letters": ["019ac1d2-7c8e-7000-8000-000000000001"]}))]
pub(super) struct Discard {
    /// Who discards them.
    #[garde(length(chars, min = 1, max = 60), custom(printable))]
    #[schema(min_length = 1, max_length = 60)]
    by: String,
    /// Why.
    #[garde(length(chars, min = 1, max = 500), custom(printable))]
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// These.
    #[garde(inner(length(min = 1, max = 1_000)))]
    #[schema(min_items = 1, max_items = 1_000)]
    letters: Option<Vec<Uuid>>,
    /// All open letters that match now, and none that arrives later.
    #[garde(skip)]
    filter: Option<Search>,
    /// With a filter: how many that shall be. Nothing is done if it is another number.
    #[garde(skip)]
    #[schema(minimum = 0, maximum = 10_000)]
    #[serde(default, deserialize_with = "maybe_whole_number")]
    expected: Option<i64>,
}

/// Letters that somebody needs after all.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "Ada", "letters": ["019ac1d2-7c8e-7000-8000-000000000001"]}))]
pub(super) struct Restore {
    /// Who restores them.
    #[garde(length(chars, min = 1, max = 60), custom(printable))]
    #[schema(min_length = 1, max_length = 60)]
    by: String,
    /// These.
    #[garde(inner(length(min = 1, max = 1_000)))]
    #[schema(min_items = 1, max_items = 1_000)]
    letters: Option<Vec<Uuid>>,
    /// All that match now, with `discarded` as their `state`, and none that is discarded later.
    #[garde(skip)]
    filter: Option<Search>,
    /// With a filter: how many that shall be. Nothing is done if it is another number.
    #[garde(skip)]
    #[schema(minimum = 0, maximum = 10_000)]
    #[serde(default, deserialize_with = "maybe_whole_number")]
    expected: Option<i64>,
}

/// To how many letters something was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Count {
    count: i64,
}

/// Discard dead letters
///
/// Those that are not open stay as they are.
#[utoipa::path(
    post,
    path = "/api/console/letters/discard",
    tag = "dead letters",
    request_body = Discard,
    security(("admin" = [])),
    responses(
        (status = 200, description = "How many were discarded", body = Count),
        (status = 403, description = "The console is read-only"),
        (status = 409, description = "More or fewer match than expected"),
    )
)]
pub(super) async fn discard_letters(
    _: Admin,
    State(api): State<Api>,
    Valid(asked): Valid<Discard>,
) -> Result<Json<Count>, Problem> {
    writable(&api)?;
    let pool = &api.live.pool;
    let set = Set {
        letters: asked.letters,
        filter: asked.filter,
        expected: asked.expected,
    };
    let letters = set.letters(pool, "open").await?;
    let count = store::discard_letters(pool, &asked.by, &asked.reason, &letters).await?;
    Ok(Json(Count { count }))
}

/// Restore discarded letters
///
/// A letter stays discarded while another one for the same message is open.
#[utoipa::path(
    post,
    path = "/api/console/letters/restore",
    tag = "dead letters",
    request_body = Restore,
    security(("admin" = [])),
    responses(
        (status = 200, description = "How many are open again", body = Count),
        (status = 403, description = "The console is read-only"),
        (status = 409, description = "More or fewer match than expected"),
    )
)]
pub(super) async fn restore_letters(
    _: Admin,
    State(api): State<Api>,
    Valid(asked): Valid<Restore>,
) -> Result<Json<Count>, Problem> {
    writable(&api)?;
    let pool = &api.live.pool;
    let set = Set {
        letters: asked.letters,
        filter: asked.filter,
        expected: asked.expected,
    };
    let letters = set.letters(pool, "discarded").await?;
    let count = store::restore_letters(pool, &asked.by, &letters).await?;
    Ok(Json(Count { count }))
}
