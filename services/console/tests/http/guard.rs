//! Requests that a page of somebody else makes a browser send.

use anyhow::Result;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;
use sqlx::PgPool;

use crate::support::Service;

const CONTROL: &str = "/api/console/controls/inventory";

#[sqlx::test]
async fn a_name_that_somebody_else_has_pointed_here_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for path in [
        "/",
        "/page/app.js",
        "/api/console/frame",
        "/api/console/stream",
        "/api/console/orders",
    ] {
        let request = Request::get(path).header(header::HOST, "evil.example");
        let answer = service.send(request.body(Body::empty())?).await?;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
    }
    Ok(())
}

#[sqlx::test]
async fn a_page_of_another_site_changes_nothing(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        for method in [Method::PUT, Method::DELETE] {
            let request = Request::builder()
                .method(method)
                .uri(CONTROL)
                .header(name, value)
                .header(header::CONTENT_TYPE, "application/json");
            let answer = service.send(request.body(wanted().into())?).await?;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        }
    }
    let wanted = service.get("/api/console/controls").await?.body;
    assert_eq!(wanted, json!({"demo": true, "controls": []}));
    Ok(())
}

#[sqlx::test]
async fn what_a_form_can_send_changes_nothing(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let request = Request::put(CONTROL).header(header::CONTENT_TYPE, content_type);
        let answer = service.send(request.body(wanted().into())?).await?;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type}"
        );
    }
    let untyped = Request::put(CONTROL).body(wanted().into())?;
    assert_eq!(
        service.send(untyped).await?.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    Ok(())
}

fn wanted() -> String {
    json!({"pause": true, "seconds": 60, "by": "Mallory"}).to_string()
}
