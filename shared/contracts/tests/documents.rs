//! `docs/asyncapi.json` and `docs/schemas/` are generated from the types of this crate. These
//! tests fail when they differ; `UPDATE_DOCS=1 cargo test --release -p contracts` writes them anew.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

use std::path::{Path, PathBuf};

use contracts::topology::{
    COMMANDS, CONTROLS, NOTIFICATION_EMAIL, NOTIFICATION_PUSH, NOTIFICATION_SMS, NOTIFICATIONS,
    ORDER_EVENTS, PAYMENT_DEADLINES, PRODUCTS, STOCK_COMMANDS, STOCK_EVENTS, STOCK_LEVELS,
    STOCK_RELEASE, STOCK_RESERVE, STOCK_SELL,
};
use contracts::{
    CancelUnpaidOrder, Controls, Message, OrderCancelled, OrderConfirmed, OrderPaid, OrderPlaced,
    OrderRejected, ProductListed, ReleaseStock, ReserveStock, SellStock, SendNotification,
    StockLevelChanged, StockRefused, StockReserved, schemas,
};
use serde_json::{Map, Value, json};

mod asyncapi;
use asyncapi::Document;

#[test]
fn every_message_has_a_json_schema_that_is_up_to_date() {
    for (message_type, schema) in schemas() {
        assert_up_to_date(&format!("schemas/{message_type}.json"), &schema);
    }
}

#[test]
fn the_asyncapi_document_is_up_to_date() {
    assert_up_to_date("asyncapi.json", &asyncapi());
}

/// What was sent once may still be in a queue, and is in a topic for good.
#[test]
fn every_message_that_was_ever_sent_can_still_be_read() {
    let samples = root().join("shared/contracts/tests/samples");
    let mut read = 0;
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut sample: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        decode(&name, &sample).unwrap_or_else(|error| panic!("{name}: {error}"));
        sample["added-in-the-future"] = json!(1);
        decode(&name, &sample).unwrap_or_else(|error| panic!("{name} with a new field: {error}"));
        read += 1;
    }
    assert_eq!(read, schemas().len(), "each message type has a sample");
}

/// A tightened schema is a change that needs a new version.
#[test]
fn every_message_that_was_ever_sent_still_fits_its_schema() {
    for (message_type, schema) in schemas() {
        let path = format!("shared/contracts/tests/samples/{message_type}.json");
        let sample: Value =
            serde_json::from_slice(&std::fs::read(root().join(path)).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&sample)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{message_type}: {errors:?}");
    }
}

fn decode(message_type: &str, sample: &Value) -> Result<(), String> {
    let body = sample.to_string();
    macro_rules! all {
        ($($message:ty),+) => {
            $(if message_type == <$message as Message>::TYPE {
                return contracts::Inbound::decode(message_type, body.as_bytes())
                    .map(|_: $message| ())
                    .map_err(|error| error.to_string());
            })+
        };
    }
    contracts::each_message!(all);
    Err("no such message type".to_owned())
}

fn asyncapi() -> Value {
    let messages: Map<String, Value> = schemas()
        .keys()
        .map(|name| {
            let message = json!({
                "name": name,
                "contentType": "application/json",
                "payload": { "$ref": format!("schemas/{name}.json") },
            });
            ((*name).to_owned(), message)
        })
        .collect();
    let events = [
        OrderPlaced::TYPE,
        OrderConfirmed::TYPE,
        OrderRejected::TYPE,
        OrderPaid::TYPE,
        OrderCancelled::TYPE,
    ];
    let stock_events = [StockReserved::TYPE, StockRefused::TYPE];
    let mut document = Document::default();
    for (key, message) in [
        (STOCK_RESERVE, ReserveStock::TYPE),
        (STOCK_RELEASE, ReleaseStock::TYPE),
        (STOCK_SELL, SellStock::TYPE),
    ] {
        document.routing_key(COMMANDS, key, &[message], "order");
    }
    document.routing_key(
        NOTIFICATIONS,
        "{channel}.{event}.{tier}",
        &[SendNotification::TYPE],
        "notification",
    );
    document.queue(
        STOCK_COMMANDS,
        &[ReserveStock::TYPE, ReleaseStock::TYPE, SellStock::TYPE],
        "inventory",
    );
    document.queue(PAYMENT_DEADLINES, &[CancelUnpaidOrder::TYPE], "order");
    for queue in [NOTIFICATION_EMAIL, NOTIFICATION_SMS, NOTIFICATION_PUSH] {
        document.queue(queue, &[SendNotification::TYPE], "notification");
    }
    document.fanout(
        CONTROLS,
        &[Controls::TYPE],
        "console",
        &["order", "inventory", "notification"],
    );
    document.topic(ORDER_EVENTS, &events, "order", &["notification"]);
    document.topic(STOCK_EVENTS, &stock_events, "inventory", &["order"]);
    document.topic(PRODUCTS, &[ProductListed::TYPE], "inventory", &["order"]);
    document.topic(STOCK_LEVELS, &[StockLevelChanged::TYPE], "inventory", &[]);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Spillway",
            "version": "1",
            "description": "Generated from shared/contracts. Every message carries the attributes of CloudEvents 1.0 in binary mode: headers `ce_*` in Kafka, `cloudEvents_*` in RabbitMQ.",
        },
        "servers": {
            "rabbitmq": { "host": "rabbitmq:5672", "protocol": "amqp", "pathname": "/spillway" },
            "kafka": { "host": "kafka:19092", "protocol": "kafka" },
        },
        "channels": document.channels,
        "operations": document.operations,
        "components": { "messages": messages },
    })
}

fn assert_up_to_date(file: &str, generated: &Value) {
    let path = root().join("docs").join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = serde_json::to_string_pretty(generated).unwrap();
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    let written = std::fs::read(&path).unwrap_or_default();
    // Compared as JSON: the order of keys depends on what else is compiled along.
    assert!(
        serde_json::from_slice::<Value>(&written).is_ok_and(|written| written == *generated),
        "docs/{file} is not what the types say; run `UPDATE_DOCS=1 cargo test -p contracts`"
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
