use axum::{
    extract::OptionalFromRequestParts,
    http::{HeaderValue, request::Parts},
};

use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use super::Problem;

const MAX_LENGTH: usize = 255;

/// The header by which a client marks repetitions of one request. A handler takes it as
/// `Option<IdempotencyKey>` and names it among the `params` of its documentation.
///
/// Refuses one that is malformed or there twice with 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// The name of the header.
    pub const HEADER: &'static str = "Idempotency-Key";
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let mut values = parts.headers.get_all(Self::HEADER).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => parse(value),
            (Some(_), Some(_)) => None,
        };
        key.map(Some).ok_or_else(|| {
            let message = "expected once, 1 to 255 visible ASCII characters";
            Problem::bad_request("a header is malformed").field(Self::HEADER, message)
        })
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_LENGTH))
            .pattern(Some("^[!-~]+$"));
        let parameter = ParameterBuilder::new()
            .name(Self::HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Chosen by the client, for example a UUID. A request that is repeated with the same key and \
                 the same body has no further effect and gets the first answer again; the same key with \
                 another body is refused.",
            ))
            .schema(Some(key));
        vec![parameter.build()]
    }
}

fn parse(value: &HeaderValue) -> Option<IdempotencyKey> {
    let key = value.to_str().ok()?;
    let is_key =
        (1..=MAX_LENGTH).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    is_key.then(|| IdempotencyKey(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::{Request, StatusCode};

    use super::*;

    #[tokio::test]
    async fn a_key_is_optional_and_taken_as_it_is() {
        let longest = "x".repeat(255);
        for key in ["monday", "~!{}", longest.as_str()] {
            let found = extract(&[key.as_bytes()]).await.ok().flatten();
            assert_eq!(found, Some(IdempotencyKey(key.to_owned())));
        }
        assert_eq!(extract(&[]).await.ok(), Some(None));
    }

    #[tokio::test]
    async fn a_key_that_is_malformed_or_there_twice_is_400_and_named() {
        let too_long = "x".repeat(256);
        for values in [
            &["".as_bytes()][..],
            &["with space".as_bytes()],
            &["ä".as_bytes()],
            &[b"\xff"],
            &[too_long.as_bytes()],
            &["once".as_bytes(), "twice".as_bytes()],
        ] {
            let problem = extract(values).await.err();
            let status = problem.as_ref().map(Problem::status);
            assert_eq!(status, Some(StatusCode::BAD_REQUEST), "{values:?}");
            assert!(format!("{problem:?}").contains(IdempotencyKey::HEADER));
        }
    }

    async fn extract(values: &[&[u8]]) -> Result<Option<IdempotencyKey>, Problem> {
        let mut request = Request::new(());
        for value in values {
            let value = HeaderValue::from_bytes(value).map_err(anyhow::Error::new)?;
            request.headers_mut().append(IdempotencyKey::HEADER, value);
        }
        let (mut parts, ()) = request.into_parts();
        IdempotencyKey::from_request_parts(&mut parts, &()).await
    }
}
