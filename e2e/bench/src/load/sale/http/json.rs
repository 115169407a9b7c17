//! What the API takes and answers.

use garde::Validate;
use jiff::Timestamp;
use runtime::http::{printable, whole_number};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Figures, Plan};

/// Wish for a flash sale.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rate_per_s": 100, "seconds": 10, "by": "Ada"}))]
pub(super) struct StartFlashSale {
    /// Orders per second.
    #[serde(deserialize_with = "whole_number")]
    #[garde(range(min = 1, max = 2_000))]
    #[schema(minimum = 1, maximum = 2_000, example = 100)]
    rate_per_s: i64,
    /// For how long.
    #[serde(deserialize_with = "whole_number")]
    #[garde(range(min = 1, max = 600))]
    #[schema(minimum = 1, maximum = 600, example = 10)]
    seconds: i64,
    /// Who wants it, for others who look at the page: 1 to 60 characters.
    #[garde(length(chars, min = 1, max = 60), custom(printable))]
    #[schema(pattern = "^.{1,60}$", example = "Ada")]
    by: String,
}

/// Flash sale that is running, or else the last one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FlashSale {
    /// Whether there may be one.
    demo: bool,
    /// Whether orders are still placed, or their answers waited for.
    running: bool,
    /// Orders per second; 0 before the first sale.
    rate_per_s: u32,
    /// For how long; 0 before the first sale.
    seconds: u32,
    /// When it began; null before the first sale.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When its last order is due, or when it was stopped; null before the first sale.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// Orders that were accepted.
    placed: u64,
    /// Orders that were refused because there is too much to do: 429 and 503.
    refused: u64,
    /// Orders that were answered otherwise, or not at all.
    failed: u64,
    /// Who wanted it; null before the first sale.
    #[schema(example = "Ada")]
    by: Option<String>,
}

impl StartFlashSale {
    pub(super) fn plan(self) -> Plan {
        let number = |number: i64| u32::try_from(number).unwrap_or_default();
        Plan {
            rate_per_s: number(self.rate_per_s),
            seconds: number(self.seconds),
            by: self.by,
        }
    }
}

impl FlashSale {
    pub(super) fn new(demo: bool, sale: Option<Figures>) -> Self {
        let [placed, refused, failed] = match &sale {
            Some(sale) => sale.counts.now(),
            None => [0; 3],
        };
        Self {
            demo,
            running: sale.as_ref().is_some_and(|sale| sale.is_running),
            rate_per_s: sale.as_ref().map_or(0, |sale| sale.plan.rate_per_s),
            seconds: sale.as_ref().map_or(0, |sale| sale.plan.seconds),
            started_at: sale.as_ref().map(|sale| sale.started_at),
            ends_at: sale.as_ref().map(|sale| sale.ends_at),
            placed,
            refused,
            failed,
            by: sale.map(|sale| sale.plan.by),
        }
    }
}
