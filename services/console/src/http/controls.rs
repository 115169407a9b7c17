use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use jiff::Timestamp;
use runtime::http::{Admin, Json, Path, Problem, Valid, printable, whole_number};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, writable};
use crate::live::ControlView;
use crate::store::{self, Control};

/// Services of which something can be asked.
const SERVICES: [&str; 3] = ["order", "inventory", "notification"];

/// What was asked of services.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Controls {
    /// Whether anything may be asked here.
    demo: bool,
    /// What is wanted now.
    controls: Vec<ControlView>,
}

/// What to ask of a service, all instances of it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"slow_ms": 200, "seconds": 60, "by": "Ada"}))]
pub(super) struct Wanted {
    /// Take no messages.
    #[garde(skip)]
    #[serde(default)]
    pause: bool,
    /// Take so many milliseconds longer for each message.
    #[garde(range(min = 0, max = 2_000))]
    #[schema(minimum = 0, maximum = 2000)]
    #[serde(default, deserialize_with = "whole_number")]
    slow_ms: i64,
    /// Fail so many of a hundred messages.
    #[garde(range(min = 0, max = 100))]
    #[schema(minimum = 0, maximum = 100)]
    #[serde(default, deserialize_with = "whole_number")]
    fail_percent: i64,
    /// Whether they may succeed with the next attempt.
    #[garde(skip)]
    #[serde(default)]
    fail_kind: FailKind,
    /// Send no e-mails.
    #[garde(skip)]
    #[serde(default)]
    refuse_email: bool,
    /// For so many seconds.
    #[garde(range(min = 1, max = 3_600))]
    #[schema(minimum = 1, maximum = 3600)]
    #[serde(deserialize_with = "whole_number")]
    seconds: i64,
    /// Who wants it.
    #[garde(length(chars, min = 1, max = 60), custom(printable))]
    #[schema(min_length = 1, max_length = 60)]
    by: String,
}

/// Whether a message may succeed with the next attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FailKind {
    /// It may.
    #[default]
    Transient,
    /// It may not: it becomes a dead letter.
    Permanent,
}

/// List what was asked of services
#[utoipa::path(
    get,
    path = "/api/console/controls",
    tag = "controls",
    responses((status = 200, description = "What is wanted now", body = Controls))
)]
pub(super) async fn list_controls(State(api): State<Api>) -> Result<Json<Controls>, Problem> {
    let controls = store::controls(&api.live.pool).await?;
    Ok(Json(Controls {
        demo: api.live.controls.is_demo(),
        controls: controls.iter().map(ControlView::from).collect(),
    }))
}

/// Pause, slow or break a service for a while
///
/// Takes the place of what was asked of it before. It ends by itself.
#[utoipa::path(
    put,
    path = "/api/console/controls/{service}",
    tag = "controls",
    params(("service" = String, Path, description = "Name of the service", example = "inventory")),
    request_body = Wanted,
    security(("admin" = [])),
    responses(
        (status = 200, description = "What is wanted now", body = ControlView),
        (status = 403, description = "Not in demo mode, or the console is read-only"),
        (status = 404, description = "No such service"),
        (status = 422, description = "A value is out of range; `errors` names the field"),
    )
)]
pub(super) async fn set_control(
    _: Admin,
    State(api): State<Api>,
    Path(service): Path<String>,
    Valid(wanted): Valid<Wanted>,
) -> Result<Json<ControlView>, Problem> {
    let service = allowed(&api, service)?;
    let now = Timestamp::now();
    let control = Control {
        service,
        pause: wanted.pause,
        slow_ms: u32::try_from(wanted.slow_ms).unwrap_or_default(),
        fail_percent: u32::try_from(wanted.fail_percent).unwrap_or_default(),
        permanent: wanted.fail_kind == FailKind::Permanent,
        refuse_email: wanted.refuse_email,
        set_by: wanted.by,
        set_at: now,
        until: now,
    };
    let lasting = Duration::from_secs(u64::try_from(wanted.seconds).unwrap_or_default());
    let set = store::set_control(&api.live.pool, &control, lasting).await?;
    api.live.controls.look(&api.live.pool).await;
    Ok(Json(ControlView::from(&set)))
}

/// Let a service go back to normal
#[utoipa::path(
    delete,
    path = "/api/console/controls/{service}",
    tag = "controls",
    params(("service" = String, Path, description = "Name of the service", example = "inventory")),
    security(("admin" = [])),
    responses(
        (status = 204, description = "Nothing is asked of the service"),
        (status = 403, description = "Not in demo mode, or the console is read-only"),
        (status = 404, description = "No such service"),
    )
)]
pub(super) async fn lift_control(
    _: Admin,
    State(api): State<Api>,
    Path(service): Path<String>,
) -> Result<StatusCode, Problem> {
    let service = allowed(&api, service)?;
    store::lift_control(&api.live.pool, &service).await?;
    api.live.controls.look(&api.live.pool).await;
    Ok(StatusCode::NO_CONTENT)
}

fn allowed(api: &Api, service: String) -> Result<String, Problem> {
    let refused = |reason: &'static str| Err(Problem::new(StatusCode::FORBIDDEN, reason));
    writable(api)?;
    if !api.live.controls.is_demo() {
        return refused(
            "services are broken on purpose only where nothing is real: SPILLWAY_DEMO is not set",
        );
    }
    if !SERVICES.contains(&service.as_str()) {
        return Err(Problem::not_found(format!(
            "there is no service {service:?}"
        )));
    }
    Ok(service)
}
