//! The page, with every file inside the binary.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use runtime::http::Problem;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;

#[derive(RustEmbed)]
#[folder = "page"]
#[exclude = "tests/*"]
struct Files;

const INDEX: &str = "index.html";

/// The address of the page is `/`, its files are under `/page/`.
pub(super) fn routes() -> OpenApiRouter {
    let pages = Router::new()
        .route(
            "/",
            get(|headers: HeaderMap| async move { file(INDEX, &headers) }),
        )
        .route(
            "/page/{*path}",
            get(
                |Path(path): Path<String>, headers: HeaderMap| async move { file(&path, &headers) },
            ),
        )
        .layer(CompressionLayer::new())
        .layer(middleware::map_response(async |mut response: Response| {
            secure(response.headers_mut());
            response
        }));
    OpenApiRouter::from(pages)
}

/// A file that the browser has already is not sent again.
fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Files::get(path) else {
        return Problem::not_found("there is no such page").into_response();
    };
    // Weak, because the answer may be compressed.
    let etag = format!(
        "W/\"{}\"",
        BASE64_STANDARD.encode(file.metadata.sha256_hash())
    );
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(&etag));
    let caching = [
        (header::ETAG, etag),
        // Asked for again each time, and then it is known.
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let content_type = content_type(path);
    (caching, [(header::CONTENT_TYPE, content_type)], file.data).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

fn secure(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Only files of ours, and the one import map in the page, which is known by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let index = Files::get(INDEX).map(|file| file.data).unwrap_or_default();
    let index = String::from_utf8_lossy(&index);
    let map = index.split_once(r#"<script type="importmap">"#);
    let map = map
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .map_or("", |(map, _)| map);
    let hash = BASE64_STANDARD.encode(Sha256::digest(map));
    let policy = format!(
        "default-src 'self'; script-src 'self' 'sha256-{hash}'; img-src 'self' data:; object-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});
