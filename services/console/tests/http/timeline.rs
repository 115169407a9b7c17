//! What is shown of one order, and of the stock.

use anyhow::Result;
use axum::http::StatusCode;
use console::handlers::{RecordDecisions, RecordOrders, RecordProducts};
use console::store::{self, Span};
use contracts::{Money, ProductListed, StockReserved};
use messaging::{Received, testing};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    Service,
    samples::{confirmed, now, placed},
};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

#[sqlx::test]
async fn an_order_is_shown_with_its_facts_and_the_spans_of_its_trace(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let bus = testing::bus("console", &service.pool).await?;
    let id = Uuid::now_v7();
    let traced = Received {
        cause: testing::cause(TRACEPARENT),
        ..testing::record(3, 812, placed(id))
    };
    testing::handle_batch(&bus, &RecordOrders, &[traced]).await?;
    let reserved = testing::record(5, 7, StockReserved { order_id: id }.into());
    testing::handle_batch(&bus, &RecordDecisions, &[reserved]).await?;
    testing::handle_batch(
        &bus,
        &RecordOrders,
        &[testing::record(3, 900, confirmed(id))],
    )
    .await?;
    let command = json!({"messaging.system": "rabbitmq", "messaging.message.id": "m-1",
                         "messaging.destination.name": "commands:stock.reserve:inventory.stock-commands"});
    let event = json!({"messaging.system": "kafka", "messaging.destination.name": "order-events",
                       "messaging.destination.partition.id": "3", "messaging.kafka.offset": 812});
    let request = json!({"http.request.method": "POST"});
    let spans = [
        span(1, "POST /api/orders", request),
        span(2, "process commands", command),
        span(3, "send order-events", event),
    ];
    store::save_spans(&service.pool, &spans).await?;

    let timeline = service
        .get(&format!("/api/console/orders/{id}"))
        .await?
        .body;
    assert_eq!(
        (&timeline["order"]["status"], &timeline["traced"]),
        (&json!("confirmed"), &json!(true))
    );
    let facts = &timeline["facts"];
    let places = [0, 1, 2].map(|n| {
        (
            &facts[n]["topic"],
            &facts[n]["partition"],
            &facts[n]["offset"],
        )
    });
    let expected = [
        ("order-events", 3, 812),
        ("stock-events", 5, 7),
        ("order-events", 3, 900),
    ];
    for (place, (topic, partition, offset)) in places.into_iter().zip(expected) {
        assert_eq!(place, (&json!(topic), &json!(partition), &json!(offset)));
    }
    let spans = &timeline["spans"];
    assert_eq!(
        [0, 1, 2].map(|n| &spans[n]["kind"]),
        ["http", "process", "send"]
    );
    assert_eq!(
        (&spans[1]["exchange"], &spans[1]["routing_key"]),
        (&json!("commands"), &json!("stock.reserve"))
    );
    assert_eq!(
        (&spans[1]["queue"], &spans[1]["topic"]),
        (&json!("inventory.stock-commands"), &Value::Null)
    );
    assert_eq!(
        (&spans[2]["topic"], &spans[2]["partition"]),
        (&json!("order-events"), &json!(3))
    );
    assert_eq!(
        (&spans[2]["offset"], &spans[2]["duration_ms"]),
        (&json!(812), &json!(1.5))
    );
    Ok(())
}

#[sqlx::test]
async fn an_order_that_no_topic_has_told_of_is_answered_with_404(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let unknown = service
        .get(&format!("/api/console/orders/{}", Uuid::now_v7()))
        .await?;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for id in ["7", "%00", "not-an-id"] {
        let answer = service.get(&format!("/api/console/orders/{id}")).await?;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id}");
        assert_eq!(answer.fields(), ["id"], "{id}");
    }
    Ok(())
}

#[sqlx::test]
async fn a_product_is_shown_before_its_level_is_known(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let bus = testing::bus("console", &service.pool).await?;
    let price = Money {
        cents: 450,
        currency: "EUR".to_owned(),
    };
    let (sku, name) = ("TEA-001".to_owned(), "Tea".to_owned());
    testing::handle(&bus, &RecordProducts, [ProductListed { sku, name, price }]).await?;
    let stock = service.get("/api/console/stock").await?.body;
    let expected = json!({"sku": "TEA-001", "name": "Tea", "price_cents": 450, "currency": "EUR", "available": null,
                          "reserved": null, "sold": null, "version": 0, "changed_at": null});
    assert_eq!(stock, json!({"stock": [expected]}));
    Ok(())
}

fn span(id: u64, name: &str, attributes: Value) -> Span {
    Span {
        trace_id: TRACE.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_id: Vec::new(),
        name: name.to_owned(),
        service: "order".to_owned(),
        instance: "host-1".to_owned(),
        started_at: now(),
        duration_us: 1_500,
        attributes: attributes.as_object().cloned().unwrap_or_default(),
        error: None,
    }
}
