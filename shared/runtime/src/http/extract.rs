use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, OptionalFromRequest, RawPathParams, Request,
        path::ErrorKind,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use garde::Validate;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;

use super::{BODY_LIMIT, Problem};

/// A JSON body, in a request or an answer.
///
/// Refuses another content type with 415, a body over the limit with 413, and with 400 what is not
/// JSON or not of this shape, naming the field.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

/// A JSON body whose fields also keep to the rules of their type: 422, listing every wrong field.
#[derive(Clone, Copy, Debug, Default)]
pub struct Valid<T>(pub T);

/// Parameters in the path; 400 names one that is malformed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Path<T>(pub T);

/// Parameters in the query string; 400 names one that is malformed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media_type(
                "the body must be JSON, with content type application/json",
            ));
        }
        let body = whole_body(request).await?;
        parse(&body).map(Json)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    /// A request without a content type has no body.
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            <Self as FromRequest<S>>::from_request(request, state)
                .await
                .map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T, S> FromRequest<S> for Valid<T>
where
    T: DeserializeOwned + Validate<Context: Default>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = <Json<T> as FromRequest<S>>::from_request(request, state).await?;
        body.validate().map_err(|report| invalid(&report))?;
        Ok(Self(body))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(rejection) => {
                let names = RawPathParams::from_request_parts(parts, state).await;
                let names = names.map_or_else(
                    |_| Vec::new(),
                    |names| names.iter().map(|(name, _)| name.to_owned()).collect(),
                );
                Err(bad_path(rejection, &names))
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(bad_query(&rejection)),
        }
    }
}

/// The body of a request, up to the limit of the application.
pub(super) async fn whole_body(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &())
        .await
        .map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                Problem::too_large(BODY_LIMIT)
            } else {
                Problem::bad_request("the body could not be read to its end")
            }
        })
}

/// Whether there is one content type, and it is one of JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let essence = value
        .to_str()
        .ok()
        .and_then(|value| value.split(';').next())
        .map(|essence| essence.trim().to_ascii_lowercase());
    essence.is_some_and(|essence| {
        essence == "application/json"
            || (essence.starts_with("application/") && essence.ends_with("+json"))
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| malformed(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| malformed("", &error))?;
    Ok(value)
}

fn malformed(path: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    if error.classify() != Category::Data {
        return Problem::bad_request(format!("the body is not JSON: {message}"));
    }
    // Without the position: the field says it better.
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(message, _)| message);
    let field = field(path, message);
    if field.is_empty() {
        return Problem::bad_request(format!(
            "the body does not have the expected shape: {message}"
        ));
    }
    Problem::bad_request("the body does not have the expected shape").field(field, message)
}

/// The path of the field that is meant. For a missing or unknown one, the parser gives the object
/// that it misses it in, and names the field in the message alone.
fn field(path: &str, message: &str) -> String {
    let object = if path == "." { "" } else { path };
    let name = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix)?.split('`').next());
    match name {
        Some(name) if object.is_empty() => name.to_owned(),
        Some(name) if object != name && !object.ends_with(&format!(".{name}")) => {
            format!("{object}.{name}")
        }
        _ => object.to_owned(),
    }
}

fn invalid(report: &garde::Report) -> Problem {
    let detail = "the request is well-formed but not valid";
    let problem = Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, detail);
    report.iter().fold(problem, |problem, (path, error)| {
        problem.field(path.to_string(), error.message())
    })
}

fn bad_path(rejection: PathRejection, names: &[String]) -> Problem {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Problem::internal(anyhow::Error::new(rejection));
    };
    let name = |index: usize| names.get(index).map_or("path", String::as_str).to_owned();
    let expected = |kind: &str| format!("expected {kind}");
    let (field, message) = match error.into_kind() {
        ErrorKind::DeserializeError { key, message, .. } => (key, message),
        ErrorKind::ParseErrorAtKey {
            key, expected_type, ..
        } => (key, expected(expected_type)),
        ErrorKind::ParseErrorAtIndex {
            index,
            expected_type,
            ..
        } => (name(index), expected(expected_type)),
        ErrorKind::ParseError { expected_type, .. } => (name(0), expected(expected_type)),
        ErrorKind::InvalidUtf8InPathParam { key } => (key, "not UTF-8".to_owned()),
        ErrorKind::Message(message) => (name(0), message),
        // The handler's type does not fit its route: our mistake, not the client's.
        kind => return Problem::internal(anyhow::anyhow!("{kind}")),
    };
    Problem::bad_request("a parameter in the path is malformed").field(field, message)
}

fn bad_query(rejection: &QueryRejection) -> Problem {
    let text = rejection.body_text();
    let text = text
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(&text);
    let (path, message) = text.split_once(": ").unwrap_or(("", text));
    Problem::bad_request("a parameter in the query is malformed")
        .field(field(path, message), message)
}
