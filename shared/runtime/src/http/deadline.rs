use std::time::{Duration, Instant};

use axum::{extract::FromRequestParts, http::request::Parts};

use super::Problem;

/// The time limit on a request. It is longer than waiting for a connection and then for a statement,
/// so that their own, more telling time limits come first.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

/// The moment at which a request is answered with 503, whether or not its handler has finished.
///
/// A handler that takes it can answer more exactly a little earlier.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// That of a request which arrives now.
    #[must_use]
    pub fn from_now() -> Self {
        Self(Instant::now() + REQUEST_TIMEOUT)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Deadline {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let deadline = parts.extensions.get().copied();
        Ok(deadline.unwrap_or_else(Self::from_now))
    }
}
