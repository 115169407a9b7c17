use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use runtime::http::{
    Admin, Json, Path, Problem, Valid, maybe_whole_number, printable, whole_number,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::edits::closed;
use super::json::JobLetter;
use super::letters::Search;
use super::{Api, Set, writable};
use crate::live::JobView;
use crate::store::{self, NewJob};

/// Letters to be replayed.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "Ada", "rate": 10, "letters": ["019ac1d2-7c8e-7000-8000-000000000001"]}))]
pub(super) struct NewReplay {
    /// Who wants it.
    #[garde(length(chars, min = 1, max = 60), custom(printable))]
    #[schema(min_length = 1, max_length = 60)]
    by: String,
    /// How many letters a second, 10 by default.
    #[garde(range(min = 1, max = 10_000))]
    #[schema(minimum = 1, maximum = 10_000)]
    #[serde(default = "usual_rate", deserialize_with = "whole_number")]
    rate: i64,
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

/// What to change of a job.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "Ada", "rate": 50}))]
pub(super) struct JobChange {
    /// Who wants it.
    #[garde(length(chars, min = 1, max = 60), custom(printable))]
    #[schema(min_length = 1, max_length = 60)]
    by: String,
    /// How many letters a second.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schema(minimum = 1, maximum = 10_000)]
    #[serde(default, deserialize_with = "maybe_whole_number")]
    rate: Option<i64>,
    /// Go on, pause, or stop for good.
    #[garde(skip)]
    state: Option<JobState>,
}

/// What a job can be told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum JobState {
    Running,
    Paused,
    Stopped,
}

/// The newest 20 jobs, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Jobs {
    jobs: Vec<JobView>,
}

/// A job and its letters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobInFull {
    #[serde(flatten)]
    job: JobView,
    /// At most 100, those that failed again first.
    letters: Vec<JobLetter>,
}

fn usual_rate() -> i64 {
    10
}

/// Replay dead letters
///
/// Each goes to the consumer that failed, and to nobody else. The set is frozen now. The first letter goes alone; the
/// job halts by itself when that one fails again, or five of the others. With a filter, letters that are overtaken are
/// left out.
#[utoipa::path(
    post,
    path = "/api/console/replays",
    tag = "dead letters",
    request_body = NewReplay,
    security(("admin" = [])),
    responses(
        (status = 201, description = "The job", body = JobView),
        (status = 403, description = "The console is read-only"),
        (status = 409, description = "More or fewer match than expected"),
        (status = 422, description = "No letter of these can be replayed; `errors` says why"),
    )
)]
pub(super) async fn create_replay(
    _: Admin,
    State(api): State<Api>,
    Valid(asked): Valid<NewReplay>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    writable(&api)?;
    let pool = &api.live.pool;
    let is_named = asked.letters.is_some();
    let set = Set {
        letters: asked.letters,
        filter: asked.filter,
        expected: asked.expected,
    };
    let new = NewJob {
        id: Uuid::now_v7(),
        by: asked.by,
        rate: i32::try_from(asked.rate).unwrap_or_default(),
        letters: set.letters(pool, "open").await?,
        without_overtaken: !is_named,
    };
    if store::create_job(pool, &new).await? == 0 {
        return Err(why_none(&api, &new.letters).await?);
    }
    api.replaying.wake();
    let job = find(&api, new.id).await?;
    Ok((StatusCode::CREATED, Json(job)))
}

/// Why none of these letters can be replayed, for the first few of them.
async fn why_none(api: &Api, letters: &[Uuid]) -> Result<Problem, Problem> {
    let none = "no letter of these can be replayed";
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, none);
    if letters.is_empty() {
        problem = problem.field("filter", "no letter matches");
    }
    for (place, id) in letters.iter().enumerate().take(10) {
        let reason = match store::letter(&api.live.pool, *id).await? {
            None => "there is no such letter".to_owned(),
            Some(letter) if letter.state != "open" => closed(&letter),
            Some(letter) if letter.target.is_none() => {
                "nobody knows which consumer has failed".to_owned()
            }
            Some(letter) if letter.overtaken => "it is overtaken: name it to replay it".to_owned(),
            Some(_) => "the message has no id or no type: edit it first".to_owned(),
        };
        problem = problem.field(format!("letters[{place}]"), reason);
    }
    Ok(problem)
}

/// List jobs
#[utoipa::path(
    get,
    path = "/api/console/replays",
    tag = "dead letters",
    responses((status = 200, description = "The newest jobs", body = Jobs))
)]
pub(super) async fn list_replays(State(api): State<Api>) -> Result<Json<Jobs>, Problem> {
    let jobs = store::jobs(&api.live.pool).await?.into_iter();
    Ok(Json(Jobs {
        jobs: jobs.map(JobView::from).collect(),
    }))
}

/// Show one job
#[utoipa::path(
    get,
    path = "/api/console/replays/{job}",
    tag = "dead letters",
    params(("job" = Uuid, Path, description = "Id of the job")),
    responses(
        (status = 200, description = "The job and its letters", body = JobInFull),
        (status = 404, description = "No such job"),
    )
)]
pub(super) async fn get_replay(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<JobInFull>, Problem> {
    let job = find(&api, id).await?;
    let letters = store::job_letters(&api.live.pool, id).await?.into_iter();
    Ok(Json(JobInFull {
        job,
        letters: letters.map(JobLetter::from).collect(),
    }))
}

/// Change the rate of a job, pause it, let it go on, or stop it
#[utoipa::path(
    patch,
    path = "/api/console/replays/{job}",
    tag = "dead letters",
    params(("job" = Uuid, Path, description = "Id of the job")),
    request_body = JobChange,
    security(("admin" = [])),
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 403, description = "The console is read-only"),
        (status = 404, description = "No such job"),
        (status = 409, description = "The job has ended"),
    )
)]
pub(super) async fn change_replay(
    _: Admin,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Valid(change): Valid<JobChange>,
) -> Result<Json<JobView>, Problem> {
    writable(&api)?;
    find(&api, id).await?;
    let state = change.state.map(|state| match state {
        JobState::Running => "running",
        JobState::Paused => "paused",
        JobState::Stopped => "stopped",
    });
    let rate = change.rate.and_then(|rate| rate.try_into().ok());
    let pool = &api.live.pool;
    if !store::change_job(pool, id, &change.by, rate, state).await? {
        return Err(Problem::conflict("the job has ended"));
    }
    api.replaying.wake();
    Ok(Json(find(&api, id).await?))
}

async fn find(api: &Api, id: Uuid) -> Result<JobView, Problem> {
    let job = store::job(&api.live.pool, id).await?;
    let job = job.ok_or_else(|| Problem::not_found(format!("there is no job {id}")))?;
    Ok(job.into())
}
