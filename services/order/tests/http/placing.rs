//! Placing an order: what is accepted.

use anyhow::Result;
use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Service, TEA, list, listing, one_tea};
use crate::{address_of_length, order_with, tea_and_pot};

#[sqlx::test]
async fn an_order_is_accepted_priced_and_found_where_location_says(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let answer = service.place(&tea_and_pot()).await?;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let order = &answer.body;
    assert_eq!(
        (&order["status"], &order["version"]),
        (&json!("pending"), &json!(1))
    );
    assert_eq!(
        order["total"],
        json!({"cents": 2 * 450 + 2_900, "currency": "EUR"})
    );
    assert_eq!(
        order["customer"],
        json!({"email": "ada@example.org", "phone": "+4930123456", "tier": "vip"})
    );
    let line = json!({"sku": TEA, "name": "Product TEA-001", "quantity": 2, "unit_price": {"cents": 450, "currency": "EUR"}});
    assert_eq!(order["lines"][0], line);
    let history = json!([{"status": "pending", "version": 1, "at": order["created_at"]}]);
    assert_eq!(order["history"], history);

    let location = answer.headers[header::LOCATION].to_str()?;
    let found = service.get(location).await?;
    assert_eq!((found.status, &found.body), (StatusCode::OK, order));
    assert_eq!(
        service.published(answer.id()?).await?,
        ["reserve-stock", "order-placed"]
    );
    Ok(())
}

#[sqlx::test]
async fn the_largest_order_is_accepted(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let skus: Vec<String> = (0..50).map(|n| format!("SKU-{n}")).collect();
    let listings: Vec<_> = skus.iter().map(|sku| listing(sku, 100_000_000)).collect();
    list(&service.pool, &listings).await?;
    let lines: Vec<Value> = skus
        .iter()
        .map(|sku| json!({"sku": sku, "quantity": 1000}))
        .collect();
    let mut order = order_with("/lines", json!(lines));
    order["customer"]["email"] = address_of_length(254).into();
    let answer = service.place(&order).await?;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(
        answer.body["total"]["cents"],
        json!(50 * 1000 * 100_000_000_i64)
    );
    Ok(())
}

#[sqlx::test]
async fn a_wrong_order_does_not_fail_those_that_arrive_with_it(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let (good, wrong) = (one_tea(), order_with("/lines/0/sku", json!("NONE")));
    let requests = (0..100).map(|n| service.place(if n % 2 == 0 { &good } else { &wrong }));
    for (n, answer) in futures::future::join_all(requests)
        .await
        .into_iter()
        .enumerate()
    {
        let expected = if n % 2 == 0 {
            StatusCode::ACCEPTED
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        assert_eq!(answer?.status, expected);
    }
    assert_eq!(service.count_orders().await?, 50);
    Ok(())
}
