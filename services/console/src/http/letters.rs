use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use runtime::http::{Admin, Json, PageSize, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::json::Letter;
use crate::store::{self, LetterFilter};

/// Which letters to look for.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// In this state; `all` for any.
    #[param(inline)]
    #[serde(default)]
    state: LetterState,
    /// Of this consumer: a queue, or a consumer group.
    consumer: Option<String>,
    /// With this pattern of the reason.
    pattern: Option<String>,
    /// Of this message type.
    #[serde(rename = "type")]
    message_type: Option<String>,
    /// With this text in reason, ids, headers or body.
    q: Option<String>,
    /// That failed at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// That failed before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// State of a letter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LetterState {
    #[default]
    Open,
    Replaying,
    Sent,
    Handled,
    Discarded,
    All,
}

impl Search {
    /// The same for the database.
    pub(super) fn filter(self) -> Result<LetterFilter, Problem> {
        let texts = [
            ("consumer", &self.consumer),
            ("pattern", &self.pattern),
            ("type", &self.message_type),
            ("q", &self.q),
        ];
        for (name, text) in texts {
            if text.as_ref().is_some_and(|text| text.contains('\0')) {
                let problem = Problem::bad_request("a parameter is malformed");
                return Err(problem.field(name, "nothing here contains NUL"));
            }
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let state = match self.state {
            LetterState::Open => Some("open"),
            LetterState::Replaying => Some("replaying"),
            LetterState::Sent => Some("sent"),
            LetterState::Handled => Some("handled"),
            LetterState::Discarded => Some("discarded"),
            LetterState::All => None,
        };
        Ok(LetterFilter {
            state: state.map(str::to_owned),
            consumer: given(self.consumer),
            pattern: given(self.pattern),
            message_type: given(self.message_type),
            text: given(self.q).map(|text| text.to_lowercase()),
            since: self.since,
            until: self.until,
        })
    }
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Page size, 20 by default.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Last letter of the previous page: its `next`.
    before: Option<Uuid>,
}

/// Page of dead letters, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PageOfLetters)]
pub(super) struct Page {
    letters: Vec<Letter>,
    /// Value of `before` for the next page; null on the last page.
    next: Option<Uuid>,
    /// How many match, on all pages.
    count: i64,
    /// There are more than `count`: counting stops at 10,000.
    count_is_more: bool,
}

/// Dead letters that failed for the same reason in the same consumer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterGroup)]
pub(super) struct Group {
    consumer: String,
    /// The reason with numbers and ids as `#`.
    pattern: String,
    /// The newest reason.
    reason: String,
    count: i64,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

/// The largest groups of dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Groups {
    groups: Vec<Group>,
}

/// Look for dead letters, newest first
#[utoipa::path(
    get,
    path = "/api/console/letters",
    tag = "dead letters",
    params(Search, Paging),
    security(("admin" = [])),
    responses(
        (status = 200, description = "Page of dead letters", body = Page),
        (status = 422, description = "`limit` is not within 1 to 100"),
    )
)]
pub(super) async fn list_letters(
    _: Admin,
    State(api): State<Api>,
    Query(search): Query<Search>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page>, Problem> {
    let (size, filter) = (PageSize::asked(paging.limit)?, search.filter()?);
    api.live.is_asked();
    let pool = &api.live.pool;
    let letters = store::letters(pool, &filter, paging.before, size.and_one());
    let counted = store::count_letters(pool, &filter);
    let (mut letters, counted) = tokio::try_join!(letters, counted)?;
    let next = size.cut(&mut letters).map(|last| last.id);
    Ok(Json(Page {
        letters: letters.into_iter().map(Letter::from).collect(),
        next,
        count: counted.count,
        count_is_more: counted.is_more,
    }))
}

/// Group dead letters by consumer and reason
#[utoipa::path(
    get,
    path = "/api/console/letters/groups",
    tag = "dead letters",
    params(Search),
    security(("admin" = [])),
    responses((status = 200, description = "At most 100 groups, the largest first", body = Groups))
)]
pub(super) async fn group_letters(
    _: Admin,
    State(api): State<Api>,
    Query(search): Query<Search>,
) -> Result<Json<Groups>, Problem> {
    let groups = store::letter_groups(&api.live.pool, &search.filter()?).await?;
    let groups = groups.into_iter().map(|group| Group {
        consumer: group.consumer,
        pattern: group.pattern,
        reason: group.reason,
        count: group.count,
        first_at: group.first_at.to_jiff(),
        last_at: group.last_at.to_jiff(),
    });
    Ok(Json(Groups {
        groups: groups.collect(),
    }))
}

/// Export dead letters as JSON lines
///
/// One letter on each line, with headers, and with its body in Base64.
#[utoipa::path(
    get,
    path = "/api/console/letters/export",
    tag = "dead letters",
    params(Search),
    security(("admin" = [])),
    responses((status = 200, description = "At most 10,000 letters", content_type = "application/octet-stream"))
)]
pub(super) async fn export_letters(
    _: Admin,
    State(api): State<Api>,
    Query(search): Query<Search>,
) -> Result<Response, Problem> {
    let filter = search.filter()?;
    let lines = super::export::lines(api.live.pool.clone(), filter);
    Ok(attachment("dead-letters.jsonl", Body::from_stream(lines)))
}

/// Bytes to be saved: no browser shows them.
pub(super) fn attachment(name: &str, body: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, body.into()).into_response()
}
