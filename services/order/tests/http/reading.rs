//! Orders, products and the documentation, as they are read.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{POT, Service};

#[sqlx::test]
async fn an_order_that_does_not_exist_is_not_found(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let path = format!("/api/orders/{}", Uuid::now_v7());
    assert_eq!(service.get(&path).await?.status, StatusCode::NOT_FOUND);
    assert_eq!(
        service.post(&format!("{path}/payment")).await?.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        service.post(&format!("{path}/cancellation")).await?.status,
        StatusCode::NOT_FOUND
    );
    let malformed = service.get("/api/orders/42").await?;
    assert_eq!(
        (malformed.status, malformed.fields()),
        (StatusCode::BAD_REQUEST, vec!["id"])
    );
    Ok(())
}

#[sqlx::test]
async fn pages_lead_from_the_newest_order_to_the_oldest(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(json!(service.placed().await?));
    }
    placed.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/orders?status=pending&limit=2".to_owned();
    loop {
        let page = service.get(&path).await?.body;
        seen.extend(
            page["orders"]
                .as_array()
                .context("no orders")?
                .iter()
                .map(|order| order["id"].clone()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/orders?status=pending&limit=2&after={next}");
    }
    assert_eq!(seen, placed);
    Ok(())
}

#[sqlx::test]
async fn a_wrong_filter_is_refused_by_its_name(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let cases = [
        ("status=unknown", StatusCode::BAD_REQUEST, "status"),
        ("after=42", StatusCode::BAD_REQUEST, "after"),
        ("limit=many", StatusCode::BAD_REQUEST, "limit"),
        ("limit=0", StatusCode::UNPROCESSABLE_ENTITY, "limit"),
        ("limit=101", StatusCode::UNPROCESSABLE_ENTITY, "limit"),
    ];
    for (query, status, parameter) in cases {
        let answer = service.get(&format!("/api/orders?{query}")).await?;
        assert_eq!(
            (answer.status, answer.fields()),
            (status, vec![parameter]),
            "{query}"
        );
    }
    Ok(())
}

#[sqlx::test]
async fn products_are_listed_with_their_prices(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let products = service.get("/api/products").await?.body;
    let pot = json!({"sku": POT, "name": "Product POT-001", "price": {"cents": 2_900, "currency": "EUR"}});
    assert_eq!(products["products"][0], pot);
    Ok(())
}

#[sqlx::test]
async fn the_documentation_describes_an_order_down_to_its_money(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let document = service.get("/openapi.json").await?.body;
    let order = &document["components"]["schemas"]["Order"]["properties"];
    assert!(order["total"]["properties"]["cents"].is_object(), "{order}");
    assert!(
        order["lines"]["items"]["properties"]["unit_price"].is_object(),
        "{order}"
    );
    assert!(
        order["customer"]["properties"]["email"].is_object(),
        "{order}"
    );
    for path in [
        "/api/orders",
        "/api/orders/{id}",
        "/api/orders/{id}/payment",
        "/api/products",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    Ok(())
}
