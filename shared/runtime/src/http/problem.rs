use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

/// An error answer as RFC 9457 defines it, sent as `application/problem+json`.
///
/// Anything that may fail inside a handler converts into one with `?`: an [`anyhow::Error`] or
/// [`sqlx::Error`] is logged, once and here, and answered without its details.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(description = "What is wrong with a request, as RFC 9457 defines it.")]
pub struct Problem {
    /// Kind of problem; `about:blank` when the status says it all.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// Summary of the kind of problem.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// The HTTP status code.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong with this request.
    detail: Cow<'static, str>,
    /// Every field or parameter that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One wrong field or parameter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field in the body, or name of the parameter or header.
    #[schema(example = "lines[0].quantity")]
    pub field: String,
    /// What is wrong with it.
    #[schema(example = "greater than 1000")]
    pub message: String,
}

impl Problem {
    /// The content type of an answer with a problem.
    pub(super) const CONTENT_TYPE: &'static str = "application/problem+json";

    /// A problem of any other status.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: the thing is in a state that does not allow this.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 413: the body is larger than `limit` bytes.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit} bytes"),
        )
    }

    /// 415: the body is not of the expected type.
    pub fn unsupported_media_type(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// 422: well-formed, but this field is wrong. Add further ones with [`field`](Self::field).
    pub fn unprocessable(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the request is well-formed but not valid",
        )
        .field(field, message)
    }

    /// 503: cannot be done now; the client may come back after some seconds.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// 500 for what should not have happened, or 503 when the database is unreachable or overloaded.
    ///
    /// Logs the error; the answer does not show it.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        let database = error
            .chain()
            .find_map(|cause| cause.downcast_ref::<sqlx::Error>());
        if database.is_some_and(holds_unstorable_text) {
            return Self::bad_request("a text contains a character that cannot be stored");
        }
        error!(error = format!("{error:#}"), "request failed: {error:#}");
        if database.is_some_and(database::is_outage) {
            return Self::unavailable("the service cannot do this right now, try again shortly", 1);
        }
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something went wrong inside the service",
        )
    }

    /// Names one more wrong field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(Self::CONTENT_TYPE),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(error)
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self::internal(error)
    }
}

/// PostgreSQL stores no NUL character in a text (SQLSTATE 22021) or in JSON (22P05), although JSON
/// may well contain one: a bad request, not a failure of ours.
fn holds_unstorable_text(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "22021" || code == "22P05")
}
