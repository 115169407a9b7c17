//! The HTTP API on a real database: every answer that the documentation promises.

mod support;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use futures::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use sqlx::PgPool;
use support::{Answer, OUTBOX_LIMIT, POT, Service, TEA, list, listing, one_tea};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn tea_and_pot() -> Value {
    json!({
        "customer": {"email": "ada@example.org", "phone": "+4930123456", "tier": "vip"},
        "lines": [{"sku": TEA, "quantity": 2}, {"sku": POT, "quantity": 1}],
    })
}

fn order_with(pointer: &str, value: Value) -> Value {
    let mut order = tea_and_pot();
    if let Some(field) = order.pointer_mut(pointer) {
        *field = value;
    }
    order
}

/// An address of so many bytes, of which neither the name nor the domain is too long.
fn address_of_length(bytes: usize) -> String {
    let domain = format!("{}example.org", "x.".repeat(95));
    format!("{}@{domain}", "a".repeat(bytes - 1 - domain.len()))
}

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

#[sqlx::test]
async fn without_any_price_list_the_client_shall_come_back(pool: PgPool) -> Result<()> {
    let service = Service::start_without_products(pool).await?;
    let answer = service.place(&one_tea()).await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    Ok(())
}

#[sqlx::test]
async fn an_idempotency_key_of_another_request_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let first = service.place_keyed("key-1", &one_tea()).await?;
    // White space and the order of fields do not make another request; a default spelled out does not either.
    let respelled = json!({
        "lines": [{"quantity": 1, "sku": TEA}],
        "customer": {"tier": "standard", "email": "ada@example.org"},
    });
    let again = service.place_keyed("key-1", &respelled).await?;
    assert_eq!(
        (again.status, again.id()?),
        (StatusCode::ACCEPTED, first.id()?)
    );

    let other = service
        .place_keyed("key-1", &order_with("/lines/0/quantity", json!(3)))
        .await?;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.fields(), ["Idempotency-Key"]);
    assert_eq!(service.count_orders().await?, 1);
    Ok(())
}

#[sqlx::test]
async fn a_malformed_idempotency_key_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    for key in ["", "with space", "ä", &"x".repeat(256)] {
        let answer = service.place_keyed(key, &one_tea()).await?;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{key}");
        assert_eq!(answer.fields(), ["Idempotency-Key"], "{key}");
    }
    let longest = service.place_keyed(&"x".repeat(255), &one_tea()).await?;
    assert_eq!(longest.status, StatusCode::ACCEPTED);
    Ok(())
}

#[sqlx::test]
async fn a_hundred_concurrent_requests_with_one_key_give_one_order(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let tea = one_tea();
    let mut ids = Vec::new();
    // Each has its own place in the queue of the intake; half of them are other orders in between.
    let requests = (0..100).map(|_| async {
        let keyed = service.place_keyed("the-key", &tea).await?;
        service.place(&tea).await?;
        anyhow::ensure!(keyed.status == StatusCode::ACCEPTED, "{}", keyed.body);
        keyed.id()
    });
    for id in futures::future::join_all(requests).await {
        ids.push(id?);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(service.count_orders().await?, 1 + 100);
    assert_eq!(
        service.published(ids[0]).await?,
        ["reserve-stock", "order-placed"]
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

#[sqlx::test]
async fn without_a_database_nothing_is_accepted_and_the_client_shall_come_back(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    service.pool.close().await;
    let answer = service.place(&one_tea()).await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    Ok(())
}

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
async fn paying_and_cancelling_answer_the_order_and_repeating_changes_nothing(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let (paid, cancelled) = (service.confirmed().await?, service.confirmed().await?);
    for (id, action, status) in [
        (paid, "payment", "paid"),
        (cancelled, "cancellation", "cancelled"),
    ] {
        let first = service.post(&format!("/api/orders/{id}/{action}")).await?;
        assert_eq!(
            (first.status, &first.body["status"]),
            (StatusCode::OK, &json!(status))
        );
        let found = service.get(&format!("/api/orders/{id}")).await?;
        assert_eq!(found.body, first.body);
        let published = service.published(id).await?;
        let again = service.post(&format!("/api/orders/{id}/{action}")).await?;
        assert_eq!(
            (again.status, &again.body["version"]),
            (StatusCode::OK, &json!(3))
        );
        assert_eq!(service.published(id).await?, published);
    }
    Ok(())
}

#[sqlx::test]
async fn a_conflict_names_the_status_of_the_order(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let pending = service.placed().await?;
    let paid = service.confirmed().await?;
    service.post(&format!("/api/orders/{paid}/payment")).await?;
    for (id, action, status) in [
        (pending, "payment", "pending"),
        (paid, "cancellation", "paid"),
    ] {
        let answer = service.post(&format!("/api/orders/{id}/{action}")).await?;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        let detail = answer.body["detail"].as_str().context("no detail")?;
        assert!(detail.contains(status), "{detail}");
    }
    Ok(())
}

#[sqlx::test]
async fn paying_and_cancelling_at_once_has_one_winner(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    for _ in 0..20 {
        let id = service.confirmed().await?;
        let (payment, cancellation) = (
            format!("/api/orders/{id}/payment"),
            format!("/api/orders/{id}/cancellation"),
        );
        let (paid, cancelled) = tokio::join!(service.post(&payment), service.post(&cancellation));
        let mut statuses = [paid?.status, cancelled?.status];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
        assert_eq!(service.order(id).await?.version, 3);
        assert_eq!(service.published(id).await?.len(), 6);
    }
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

#[sqlx::test]
async fn orders_are_refused_while_too_much_waits_for_the_brokers(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let token = CancellationToken::new();
    let measuring = tokio::spawn(service.bus.housekeeping(token.clone()));
    service.placed().await?;

    sqlx::query(
        "insert into messaging.outbox (message_id, transport, shard, destination, routing_key, message_type, body)
         select gen_random_uuid(), 'kafka', 0, 'order-events', '', 'test.backlog.v1', '' from generate_series(1, $1)",
    )
    .bind(OUTBOX_LIMIT)
    .execute(&service.pool)
    .await?;
    let refused = answered(&service, StatusCode::SERVICE_UNAVAILABLE).await?;
    let retry_after: u32 = refused.headers[header::RETRY_AFTER].to_str()?.parse()?;
    assert!((5..=15).contains(&retry_after), "{retry_after}");
    assert_eq!(
        refused.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    // What was accepted before can still be followed.
    assert_eq!(service.get("/api/orders").await?.status, StatusCode::OK);

    sqlx::query("delete from messaging.outbox where message_type = 'test.backlog.v1'")
        .execute(&service.pool)
        .await?;
    answered(&service, StatusCode::ACCEPTED).await?;
    token.cancel();
    measuring.await?
}

#[sqlx::test]
async fn orders_are_refused_while_the_database_cannot_keep_up(pool: PgPool) -> Result<()> {
    /// More than may wait and be written at once.
    const ARRIVALS: usize = 1_500;

    let service = Service::start(pool).await?;
    let mut saturated = service.pool.begin().await?;
    let lock = "lock table orders in access exclusive mode";
    sqlx::query(lock).execute(&mut *saturated).await?;
    let wish = one_tea();
    let mut answers: FuturesUnordered<_> = (0..ARRIVALS).map(|_| service.place(&wish)).collect();

    // Nobody else can be answered yet.
    let refused = answers.next().await.context("no answer")??;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.body["detail"], "too many orders arrive at once");
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    saturated.rollback().await?;

    let mut accepted = 0;
    while let Some(answer) = answers.next().await {
        accepted += usize::from(answer?.status == StatusCode::ACCEPTED);
    }
    assert!((1..ARRIVALS).contains(&accepted), "{accepted} accepted");
    let stored = sqlx::query_scalar("select count(*) from orders");
    let stored: i64 = stored.fetch_one(&service.pool).await?;
    assert_eq!(stored, i64::try_from(accepted)?);
    Ok(())
}

/// Places orders until one is answered like this.
async fn answered(service: &Service, status: StatusCode) -> Result<Answer> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = service.place(&one_tea()).await?;
        if answer.status == status {
            return Ok(answer);
        }
        anyhow::ensure!(Instant::now() < deadline, "never {status}: {}", answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
