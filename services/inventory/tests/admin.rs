//! Who may restock where `ADMIN_TOKEN` is set.

use anyhow::Result;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use inventory::http::{Api, routes};
use messaging::testing;
use runtime::config::AdminArgs;
use runtime::health::Health;
use sqlx::PgPool;
use tower::ServiceExt;

#[sqlx::test]
async fn only_those_who_bring_the_token_restock(pool: PgPool) -> Result<()> {
    for (brought, expected) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("Bearer another-token-here"), StatusCode::UNAUTHORIZED),
        (Some("Bearer a-token-for-tests"), StatusCode::OK),
    ] {
        let mut request = Request::post("/api/stock/GATE-WHEEL/restocks")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(brought) = brought {
            request = request.header(header::AUTHORIZATION, brought);
        }
        let request = request.header(header::HOST, "localhost");
        let request = request.body(Body::from(r#"{"quantity": 4}"#))?;
        assert_eq!(status(&pool, request).await?, expected, "{brought:?}");
    }
    let restocks =
        sqlx::query_scalar::<_, i64>("select available from stock where sku = 'GATE-WHEEL'");
    assert_eq!(restocks.fetch_one(&pool).await?, 7);
    Ok(())
}

#[sqlx::test]
async fn the_stock_is_shown_to_everybody(pool: PgPool) -> Result<()> {
    for path in ["/api/stock", "/api/stock/GATE-WHEEL"] {
        let request = Request::get(path).header(header::HOST, "localhost");
        let status = status(&pool, request.body(Body::empty())?).await?;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
    Ok(())
}

async fn status(pool: &PgPool, request: Request<Body>) -> Result<StatusCode> {
    let admin = AdminArgs {
        token: Some("a-token-for-tests".parse()?),
    };
    let api = Api::new(pool, testing::bus("inventory", pool).await?, admin);
    let app = runtime::http::app("inventory", routes(api), Health::default(), &[]);
    Ok(app.oneshot(request).await?.status())
}
