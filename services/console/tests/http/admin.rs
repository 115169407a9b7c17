//! Who may act, and read what customers have written, where `ADMIN_TOKEN` is set.

use anyhow::{Context, Result};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use runtime::config::AdminArgs;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::Service;

/// What everybody may see: how the system is, and the order whose id they know.
const OPEN: [&str; 8] = [
    "/api/console/stream",
    "/api/console/frame",
    "/api/console/history",
    "/api/console/orders/{id}",
    "/api/console/stock",
    "/api/console/controls",
    "/api/console/replays",
    "/api/console/replays/{job}",
];

#[sqlx::test]
async fn whatever_the_document_says_needs_the_token_needs_it(pool: PgPool) -> Result<()> {
    let token = Some("a-token-for-tests".parse()?);
    let service = Service::guarded_by(AdminArgs { token }, pool, true, false);
    let document: Value =
        serde_json::from_str(include_str!("../../../../docs/openapi/console.json"))?;
    let paths = document["paths"].as_object().context("no paths")?;
    let mut guarded = 0;
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().context("no methods")? {
            let is_open = method == "get" && OPEN.contains(&path.as_str());
            assert_eq!(
                operation["security"].is_array(),
                !is_open,
                "{method} {path}"
            );
            if is_open {
                continue;
            }
            guarded += 1;
            let concrete = path.replace("{service}", "inventory");
            let id = "01999999-9999-7999-8999-999999999999";
            let concrete = concrete.replace("{letter}", id).replace("{job}", id);
            let method = method.to_uppercase();
            for (brought, is_let_in) in [
                (None, false),
                (Some("Bearer another-token-here"), false),
                (Some("Bearer a-token-for-tests"), true),
            ] {
                let mut request = Request::builder().method(method.as_str()).uri(&concrete);
                request = request.header(header::CONTENT_TYPE, "application/json");
                if let Some(brought) = brought {
                    request = request.header(header::AUTHORIZATION, brought);
                }
                let answer = service.send(request.body(Body::from("{}"))?).await?;
                let is_refused = answer.status == StatusCode::UNAUTHORIZED;
                assert_eq!(is_refused, !is_let_in, "{method} {path} {brought:?}");
            }
        }
    }
    assert_eq!(guarded, 14);
    Ok(())
}
