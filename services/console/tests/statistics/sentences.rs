//! What is said to be stuck, and why.

use anyhow::Result;
use messaging::testing;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::broker::{Broker, QUEUE, frame_with, watch};
use crate::support::Service;

#[sqlx::test]
async fn a_queue_that_nobody_consumes_is_told_with_what_mends_it(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let broker = Broker::start().await?;
    broker.say(412, 0, 0);
    let watching = broker.watch(&service.live.statistics, &service.pool)?;
    let (frame, sentence) = frame_with(&service, "a sentence", said).await?;
    for (field, value) in [
        ("reason", json!("nobody-consumes")),
        ("level", json!("error")),
        ("subject", json!(QUEUE)),
        ("service", json!("inventory")),
        ("depth", json!(412)),
        ("age_at_least", json!(true)),
        ("command", json!("docker compose up -d inventory")),
        ("until", Value::Null),
    ] {
        assert_eq!(sentence[field], value, "{field}");
    }
    assert!(sentence["age_s"].as_f64() >= Some(2.0) && sentence["since"].is_string());
    assert_eq!(frame["brokers"]["rabbitmq"]["up"], true);
    assert_eq!(frame["services"][1]["instances"][0]["host"], "10.0.0.5");
    assert_eq!(
        (&frame["peak"]["depth"], &frame["peak"]["instances"]),
        (&json!(412), &json!(1))
    );
    watching.stop().await
}

#[sqlx::test]
async fn nothing_is_said_of_queues_in_which_messages_are_meant_to_wait(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let broker = Broker::start().await?;
    let waiting = |name: &str, arguments: Value| json!({"name": name, "messages": 9, "consumers": 0, "arguments": arguments});
    broker.tell(json!([
        waiting("delays.1000", json!({"x-message-ttl": 1000})),
        waiting("dead-letters", json!({})),
        waiting("amq.gen-1", json!({})),
        {"name": "inventory.declared-just-now"},
    ]));
    let watching = broker.watch(&service.live.statistics, &service.pool)?;
    let known =
        |frame: &Value| (frame["queues"].as_array()?.len() == 4).then(|| frame["queues"].clone());
    let (frame, queues) = frame_with(&service, "four queues", known).await?;
    let kinds = [0, 1, 2, 3].map(|n| (queues[n]["kind"].as_str(), queues[n]["delay_ms"].as_u64()));
    let expected = [
        ("other", None),
        ("dead-letters", None),
        ("delay", Some(1_000)),
        ("work", None),
    ];
    assert_eq!(kinds, expected.map(|(kind, delay)| (Some(kind), delay)));
    assert_eq!(
        (&queues[3]["depth"], &queues[3]["age_s"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(frame["sentences"], json!([]));
    watching.stop().await
}

#[sqlx::test]
async fn a_service_that_was_paused_is_told_with_who_did_it_until_when(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let broker = Broker::start().await?;
    broker.say(3, 0, 0);
    let watching = broker.watch(&service.live.statistics, &service.pool)?;
    let publisher = testing::bus("console", &service.pool)
        .await?
        .controls_publisher();
    let telling =
        service
            .live
            .controls
            .clone()
            .run(service.pool.clone(), publisher, service.token.clone());
    let telling = tokio::spawn(telling);
    let wanted = json!({"pause": true, "seconds": 60, "by": "Ada"});
    let set = service
        .put("/api/console/controls/inventory", &wanted)
        .await?
        .body;
    let paused = |frame: &Value| said(frame).filter(|sentence| sentence["reason"] == "paused");
    let (frame, sentence) = frame_with(&service, "who has paused it", paused).await?;
    assert_eq!(sentence["by"], "Ada");
    assert_eq!(
        (&sentence["since"], &sentence["until"]),
        (&set["since"], &set["until"])
    );
    assert_eq!(frame["controls"], json!([set]));
    service.token.cancel();
    telling.await??;
    watching.stop().await
}

#[sqlx::test]
async fn a_broker_that_is_away_is_told_and_its_password_is_not(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let url = "http://console:secret@127.0.0.1:1";
    let watching = watch(url, &service.live.statistics, &service.pool)?;
    let (frame, sentence) = frame_with(&service, "a sentence", said).await?;
    assert_eq!(
        (&sentence["reason"], &sentence["subject"]),
        (&json!("broker-away"), &json!("RabbitMQ"))
    );
    assert_eq!(sentence["command"], "docker compose up -d rabbitmq");
    assert!(
        sentence["error"].is_string() && !frame.to_string().contains("secret"),
        "{frame}"
    );
    assert_eq!(frame["brokers"]["rabbitmq"]["up"], false);
    watching.stop().await
}

/// The worst that is said.
fn said(frame: &Value) -> Option<Value> {
    frame["sentences"].get(0).cloned()
}
