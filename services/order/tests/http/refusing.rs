//! Orders that are refused, by the name of the field.

use anyhow::Result;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{POT, Service, TEA, list, listing, one_tea};
use crate::{address_of_length, order_with};

#[sqlx::test]
async fn what_is_well_formed_and_wrong_is_refused_by_the_name_of_its_field(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let many: Vec<Value> = (0..51)
        .map(|n| json!({"sku": format!("SKU-{n}"), "quantity": 1}))
        .collect();
    let twice = json!([{"sku": TEA, "quantity": 1}, {"sku": POT, "quantity": 1}, {"sku": TEA, "quantity": 1}]);
    let cases = [
        ("/customer/email", json!("not an address"), "customer.email"),
        (
            "/customer/email",
            json!("two..dots@example.org"),
            "customer.email",
        ),
        (
            "/customer/email",
            json!("line\nbreak@example.org"),
            "customer.email",
        ),
        (
            "/customer/email",
            json!(address_of_length(255)),
            "customer.email",
        ),
        ("/customer/phone", json!("030 123456"), "customer.phone"),
        ("/lines", json!([]), "lines"),
        ("/lines", json!(many), "lines"),
        ("/lines", twice, "lines[2].sku"),
        ("/lines/1/sku", json!("NONE"), "lines[1].sku"),
        ("/lines/1/sku", json!(""), "lines[1].sku"),
        ("/lines/1/sku", json!("NUL\u{0}"), "lines[1].sku"),
        ("/lines/1/quantity", json!(0), "lines[1].quantity"),
        ("/lines/1/quantity", json!(-1), "lines[1].quantity"),
        ("/lines/1/quantity", json!(1001), "lines[1].quantity"),
        (
            "/lines/1/quantity",
            json!(9_000_000_000_i64),
            "lines[1].quantity",
        ),
        (
            "/lines/1/quantity",
            serde_json::from_str("99999999999999999999")?,
            "lines[1].quantity",
        ),
    ];
    for (pointer, value, field) in cases {
        let answer = service.place(&order_with(pointer, value.clone())).await?;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{pointer} = {value}"
        );
        assert_eq!(answer.fields(), [field], "{pointer} = {value}");
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
    assert_eq!(service.count_orders().await?, 0);
    Ok(())
}

#[sqlx::test]
async fn an_address_of_a_machine_nearby_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    for address in [
        "a@[10.0.0.5]",
        "a@[IPv6:::1]",
        "a@127.0.0.1",
        "a@127.1",
        "a@1",
        "ada@mail",
        "a@localhost",
        "a@localhost.",
        "a@mail.localhost",
    ] {
        let answer = service
            .place(&order_with("/customer/email", json!(address)))
            .await?;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        assert_eq!(answer.fields(), ["customer.email"], "{address}");
    }
    assert_eq!(service.count_orders().await?, 0);
    Ok(())
}

#[sqlx::test]
async fn what_has_another_shape_is_malformed(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let cases = [
        ("/customer/tier", json!("gold"), "customer.tier"),
        ("/customer/email", Value::Null, "customer.email"),
        ("/customer", json!({}), "customer.email"),
        ("/lines/0/quantity", json!("two"), "lines[0].quantity"),
        ("/lines/0/quantity", json!(1.5), "lines[0].quantity"),
        ("/lines/0", json!({"quantity": 1}), "lines[0].sku"),
        (
            "/lines/0",
            json!({"sku": TEA, "quantity": 1, "price": 0}),
            "lines[0].price",
        ),
        (
            "/customer",
            json!({"email": "ada@example.org", "name": "Ada"}),
            "customer.name",
        ),
        (
            "",
            json!({"customer": {"email": "ada@example.org"}, "lines": [], "note": "!"}),
            "note",
        ),
    ];
    for (pointer, value, field) in cases {
        let answer = service.place(&order_with(pointer, value.clone())).await?;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{pointer} = {value}"
        );
        assert_eq!(answer.fields(), [field], "{pointer} = {value}");
    }
    Ok(())
}

#[sqlx::test]
async fn a_body_that_is_no_json_or_too_large_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let send = async |content_type: &'static str, body: String| -> Result<StatusCode> {
        let request = Request::post("/api/orders")
            .header("content-type", content_type)
            .body(Body::from(body))?;
        Ok(service.send(request).await?.status)
    };
    assert_eq!(
        send("application/json", "{".to_owned()).await?,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        send("application/json", "null".to_owned()).await?,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        send("text/plain", one_tea().to_string()).await?,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let large = json!({"customer": {"email": "a".repeat(65 * 1024)}, "lines": []}).to_string();
    assert_eq!(
        send("application/json", large).await?,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    Ok(())
}

#[sqlx::test]
async fn a_total_that_cannot_be_counted_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    list(&service.pool, &[listing(TEA, i64::MAX)]).await?;
    let answer = service
        .place(&order_with("/lines/0/quantity", json!(1000)))
        .await?;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.fields(), ["lines"]);
    Ok(())
}
