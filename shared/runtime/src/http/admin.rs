use std::{ffi::OsStr, fmt, str::FromStr};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use clap::{Arg, Command, builder::TypedValueParser, error::ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::config::AdminArgs;

/// The least length of a token, in characters.
const MIN_LENGTH: usize = 16;

/// `ADMIN_TOKEN`: at least 16 visible ASCII characters, which nothing prints.
#[derive(Clone, Debug)]
pub struct AdminToken(SecretString);

/// What is wrong with a token. It does not quote it.
#[derive(Clone, Copy, Debug)]
pub struct InvalidToken;

impl fmt::Display for InvalidToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "ADMIN_TOKEN must have at least {MIN_LENGTH} characters, all of them visible ASCII"
        )
    }
}

impl std::error::Error for InvalidToken {}

impl FromStr for AdminToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let is_token = text.len() >= MIN_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_token
            .then(|| Self(SecretString::from(text)))
            .ok_or(InvalidToken)
    }
}

/// Reads a token for clap, whose own refusal would quote it.
#[derive(Clone)]
pub(crate) struct AdminTokenParser;

impl TypedValueParser for AdminTokenParser {
    type Value = AdminToken;

    fn parse_ref(
        &self,
        _: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<AdminToken, clap::Error> {
        let token = value.to_str().ok_or(InvalidToken).and_then(str::parse);
        token.map_err(|invalid| clap::Error::raw(ErrorKind::ValueValidation, invalid))
    }
}

/// Taken by a handler as its first argument, it lets only those in who bring `ADMIN_TOKEN`, as
/// `Authorization: Bearer ...`. Where no token is set, everybody is let in.
///
/// The handler says `security(("admin" = []))` in its documentation.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

impl Admin {
    /// What the OpenAPI document calls it.
    pub(super) const SCHEME: &'static str = "admin";
}

impl<S> FromRequestParts<S> for Admin
where
    S: Send + Sync,
    AdminArgs: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AdminArgs { token } = AdminArgs::from_ref(state);
        match token {
            Some(token) if !is_brought(&token, &parts.headers) => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "this needs the header `Authorization: Bearer ...` with the ADMIN_TOKEN of the service",
            )),
            _ => Ok(Self),
        }
    }
}

/// Takes as long for a token that is nearly right as for one that is not.
fn is_brought(token: &AdminToken, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Some((scheme, brought)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    let expected = token.0.expose_secret().as_bytes();
    scheme.eq_ignore_ascii_case("bearer") && bool::from(expected.ct_eq(brought.trim().as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    #[tokio::test]
    async fn without_a_token_everybody_is_let_in() {
        assert_eq!(status(&AdminArgs::default(), &[]).await, None);
    }

    #[tokio::test]
    async fn whoever_brings_the_token_is_let_in() -> Result<(), InvalidToken> {
        for scheme in ["Bearer", "bearer"] {
            let brought = format!("{scheme} {TOKEN}");
            assert_eq!(status(&guarded()?, &[brought.as_bytes()]).await, None);
        }
        Ok(())
    }

    #[tokio::test]
    async fn whoever_brings_another_one_or_none_is_not() -> Result<(), InvalidToken> {
        let token = format!("Bearer {TOKEN}");
        for brought in [
            &[b"".as_slice()][..],
            &[],
            &[b"Bearer"],
            &[b"Bearer "],
            &[TOKEN.as_bytes()],
            &[b"Basic 0123456789abcdef"],
            &[b"Bearer 0123456789abcdeg"],
            &[b"Bearer 0123456789abcde"],
            &[b"Bearer 0123456789abcdef0"],
            &[b"Bearer \xff123456789abcdef"],
            &[token.as_bytes(), token.as_bytes()],
        ] {
            let refused = status(&guarded()?, brought).await;
            assert_eq!(refused, Some(StatusCode::UNAUTHORIZED), "{brought:?}");
        }
        Ok(())
    }

    #[test]
    fn a_token_is_neither_short_nor_blank_nor_printed() -> Result<(), InvalidToken> {
        for text in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789abcdeé",
        ] {
            assert!(text.parse::<AdminToken>().is_err(), "{text:?}");
        }
        assert!(!format!("{:?}", TOKEN.parse::<AdminToken>()?).contains(TOKEN));
        Ok(())
    }

    fn guarded() -> Result<AdminArgs, InvalidToken> {
        let token = Some(TOKEN.parse()?);
        Ok(AdminArgs { token })
    }

    async fn status(admin: &AdminArgs, brought: &[&[u8]]) -> Option<StatusCode> {
        let (mut parts, ()) = Request::new(()).into_parts();
        for value in brought {
            let value = HeaderValue::from_bytes(value).ok()?;
            parts.headers.append(header::AUTHORIZATION, value);
        }
        let let_in = Admin::from_request_parts(&mut parts, admin).await;
        let_in.err().map(|problem| problem.status())
    }
}
