use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::letter::milliseconds;
use crate::store;

/// A letter of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct JobLetter {
    letter: Uuid,
    /// `waiting`, `sent`, `silent`, `handled`, `failed` or `stopped`.
    state: String,
    error: Option<String>,
    /// It had been handled before: this replay had no effect.
    duplicate: bool,
    by_instance: Option<String>,
    duration_ms: Option<f64>,
}

impl From<store::JobLetter> for JobLetter {
    fn from(letter: store::JobLetter) -> Self {
        Self {
            letter: letter.letter_id,
            state: letter.state,
            error: letter.error,
            duplicate: letter.duplicate,
            by_instance: letter.instance,
            duration_ms: letter.duration_us.map(milliseconds),
        }
    }
}
