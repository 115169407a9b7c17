//! Who may list orders where `ADMIN_TOKEN` is set.

use anyhow::Result;
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use runtime::config::AdminArgs;
use sqlx::PgPool;

use crate::support::{Service, one_tea};

#[sqlx::test]
async fn only_those_who_bring_the_token_list_orders(pool: PgPool) -> Result<()> {
    Service::start(pool.clone()).await?;
    let token = Some("a-token-for-tests".parse()?);
    let service = Service::guarded_by(AdminArgs { token }, pool)?;

    let placed = service.place(&one_tea()).await?;
    assert_eq!(placed.status, StatusCode::ACCEPTED, "{}", placed.body);
    let id = placed.body["id"].as_str().unwrap_or_default();
    let read = service.get(&format!("/api/orders/{id}")).await?;
    assert_eq!(read.status, StatusCode::OK, "whoever knows the id reads it");

    let refused = service.get("/api/orders").await?;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    let request = Request::get("/api/orders").header("authorization", "Bearer a-token-for-tests");
    let listed = service.send(request.body(Body::empty())?).await?;
    assert_eq!(listed.status, StatusCode::OK);
    assert_eq!(listed.body["orders"][0]["id"], id);
    Ok(())
}
