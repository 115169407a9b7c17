//! The OpenAPI document and a page to read and try it, with every asset inside the binary.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::Problem;

/// All addresses are relative, so that a gateway may put the service under a prefix such as
/// `/order`: the page at `/order/docs/` finds the document at `/order/openapi.json`.
pub(super) fn routes(openapi: Bytes) -> Router {
    let config = Arc::new(Config::from("../openapi.json"));
    let file = move |path: Option<Path<String>>| {
        let config = Arc::clone(&config);
        async move { asset(path.as_ref().map_or("", |Path(path)| path), config) }
    };
    Router::new()
        .route(
            "/openapi.json",
            get(|| async { ([(header::CONTENT_TYPE, "application/json")], openapi) }),
        )
        .route(
            "/docs",
            get(|| async {
                (
                    axum::http::StatusCode::SEE_OTHER,
                    [(header::LOCATION, "docs/")],
                )
            }),
        )
        .route("/docs/", get(file.clone()))
        .route("/docs/{*path}", get(file))
}

fn asset(path: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(path, config) {
        Ok(Some(SwaggerFile {
            bytes,
            content_type,
            gzpipped,
            ..
        })) => {
            let mut response = ([(header::CONTENT_TYPE, content_type)], bytes).into_response();
            if gzpipped {
                let gzip = axum::http::HeaderValue::from_static("gzip");
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, gzip);
            }
            response
        }
        Ok(None) => Problem::not_found("there is no such page").into_response(),
        Err(error) => Problem::internal(anyhow::anyhow!("{error}")).into_response(),
    }
}
