use garde::Validate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::topology::CONTROLS;
use crate::{Message, Route};

/// What a demonstration asks of the consumers of all services. It is repeated every second and replaces
/// what was said before: a service that is not named works as usual, and so do all when nobody has
/// spoken for five seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Controls {
    /// One for each service of which anything is asked.
    #[garde(dive)]
    pub services: Vec<Control>,
}

/// What is asked of all instances of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Control {
    /// The service, for example `inventory`.
    #[garde(length(min = 1))]
    pub service: String,
    /// Take no messages.
    #[garde(skip)]
    pub pause: bool,
    /// Wait so long before each message, in milliseconds.
    #[garde(range(max = 2_000))]
    pub slow_ms: u16,
    /// The share of attempts that fail, in percent.
    #[garde(range(max = 100))]
    pub fail_percent: u8,
    /// How they fail.
    #[garde(skip)]
    pub fail_kind: FailKind,
    /// Behave as if the mail server took no e-mail.
    #[garde(skip)]
    pub refuse_email: bool,
    /// Who asks, as the person has called themselves.
    #[garde(length(chars, min = 1, max = 60))]
    pub by: String,
    /// Since when.
    #[garde(skip)]
    pub since: Timestamp,
    /// For how much longer, at most an hour. A duration, so that no two clocks have to agree.
    #[garde(range(max = 3_600_000))]
    pub remaining_ms: u32,
}

/// How a message fails that is made to fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailKind {
    /// It is tried again, and may succeed then.
    #[default]
    Transient,
    /// It becomes a dead letter at once.
    Permanent,
}

impl Message for Controls {
    const TYPE: &'static str = "spillway.controls.v1";

    fn route(&self) -> Route {
        Route::Exchange {
            exchange: CONTROLS,
            routing_key: "".into(),
        }
    }

    /// None of them is ever behind another: only the newest counts.
    fn ordering_key(&self) -> String {
        CONTROLS.name.to_owned()
    }
}
