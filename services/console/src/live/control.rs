use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::Control;

/// What somebody wants a service to be like for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct ControlView {
    /// The service, all instances of it.
    pub service: String,
    /// It takes no messages.
    pub pause: bool,
    /// How many milliseconds longer it takes for each message.
    pub slow_ms: u32,
    /// How many of a hundred messages fail.
    pub fail_percent: u32,
    /// `transient` or `permanent`.
    pub fail_kind: &'static str,
    /// It sends no e-mails.
    pub refuse_email: bool,
    /// Who wants it.
    pub by: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}

impl From<&Control> for ControlView {
    fn from(control: &Control) -> Self {
        Self {
            service: control.service.clone(),
            pause: control.pause,
            slow_ms: control.slow_ms,
            fail_percent: control.fail_percent,
            fail_kind: if control.permanent {
                "permanent"
            } else {
                "transient"
            },
            refuse_email: control.refuse_email,
            by: control.set_by.clone(),
            since: control.set_at,
            until: control.until,
        }
    }
}
