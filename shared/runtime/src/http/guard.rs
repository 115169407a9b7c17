//! Requests that a web page elsewhere makes a browser send, refused before any handler sees them.
//!
//! The API asks for no login, so whoever reaches the port may use it, and so may every page that is open
//! in a browser of the same machine. Three rules keep those pages out, of all routes but `/health/...`
//! and `/metrics`:
//!
//! | rule | otherwise |
//! |---|---|
//! | `Host` is `localhost`, `127.0.0.1`, `[::1]`, the name of the service, `gateway`, or in `ALLOWED_HOSTS`; any port | 421: a name that somebody else has pointed here (DNS rebinding) |
//! | a request that changes something comes from a page of the same host and port, or from no page: `Sec-Fetch-Site`, `Origin` | 403 |
//! | a request that changes something and has a content type has `application/json` | 415: what a form can send needs no permission of ours |
//!
//! Clients that are no browsers send neither `Sec-Fetch-Site` nor `Origin` and notice nothing. A gateway
//! has to pass `Host` on as it came.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Problem,
    extract::is_json,
    host::{Host, Hosts},
};

/// Lets a request through or answers why not.
pub(super) async fn guard(
    State(hosts): State<Arc<Hosts>>,
    request: Request,
    next: Next,
) -> Response {
    match check(&hosts, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(hosts: &Hosts, request: &Request) -> Result<(), Problem> {
    let host = hosts.check(request)?;
    if request.method().is_safe() {
        return Ok(());
    }
    let headers = request.headers();
    if !is_of_this_site(headers) || !is_of_this_origin(headers, &host) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a page of another site must not change anything here",
        ));
    }
    if headers.contains_key(header::CONTENT_TYPE) && !is_json(headers) {
        return Err(Problem::unsupported_media_type(
            "the content type, if there is one, must be application/json",
        ));
    }
    Ok(())
}

/// What the browser says about the page that sends the request: `none` is somebody who typed the
/// address.
fn is_of_this_site(headers: &HeaderMap) -> bool {
    headers
        .get_all("sec-fetch-site")
        .iter()
        .all(|site| site == "same-origin" || site == "none")
}

/// The page itself, from browsers that say nothing else; `null` is one that hides where it comes from.
fn is_of_this_origin(headers: &HeaderMap, host: &Host) -> bool {
    let is_own = |origin: &HeaderValue| {
        let (scheme, origin) = origin.to_str().ok()?.split_once("://")?;
        let origin = Host::parse(origin)?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        // Which scheme we are asked with is known to the gateway only.
        let port = |host: &Host| host.port.unwrap_or(default_port);
        Some(origin.name == host.name && port(&origin) == port(host))
    };
    headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|origin| is_own(origin).unwrap_or(false))
}
