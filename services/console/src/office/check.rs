use contracts::topology::{
    NOTIFICATION_EMAIL, NOTIFICATION_PUSH, NOTIFICATION_SMS, PAYMENT_DEADLINES, STOCK_COMMANDS,
};
use contracts::{
    CancelUnpaidOrder, DecodeError, Inbound, OrderEvent, ProductListed, SendNotification,
    StockCommand, StockEvent, StockLevelChanged,
};
use serde_json::Value;

/// What is wrong with an edited message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// `message_type`, or `body` followed by a JSON pointer.
    pub field: String,
    /// What.
    pub message: String,
}

/// What a consumer will do with a message.
#[derive(Clone, Copy)]
struct Reader {
    types: &'static [&'static str],
    decode: fn(&str, &[u8]) -> Result<(), DecodeError>,
}

/// The message types that the consumer of this queue knows; none if the consumer is not one of this system.
#[must_use]
pub fn types_of(target: &str) -> &'static [&'static str] {
    reader(target).map_or(&[], |reader| reader.types)
}

/// Whether the consumer of this queue will take the message: by the JSON Schema of its type, and by the consumer's
/// own decoding. Nothing is known to be wrong for a consumer that is not one of this system.
#[must_use]
pub fn check(target: &str, message_type: &str, body: &[u8]) -> Vec<Wrong> {
    let Some(reader) = reader(target) else {
        return Vec::new();
    };
    let mut wrong = by_schema(message_type, body);
    if let Err(error) = (reader.decode)(message_type, body)
        && wrong.is_empty()
    {
        let field = match error {
            DecodeError::UnknownType(_) | DecodeError::UnsupportedVersion(..) => "message_type",
            DecodeError::Malformed(..) | DecodeError::Invalid(..) => "body",
        };
        wrong.push(Wrong {
            field: field.to_owned(),
            message: error.to_string(),
        });
    }
    wrong
}

fn reader(target: &str) -> Option<Reader> {
    let of_topic = target.strip_suffix(".replays");
    let topic = of_topic.and_then(|target| Some(target.split_once('.')?.1));
    Some(match topic.unwrap_or(target) {
        STOCK_COMMANDS => reader_of::<StockCommand>(),
        PAYMENT_DEADLINES => reader_of::<CancelUnpaidOrder>(),
        NOTIFICATION_EMAIL | NOTIFICATION_SMS | NOTIFICATION_PUSH => {
            reader_of::<SendNotification>()
        }
        "order-events" => reader_of::<OrderEvent>(),
        "stock-events" => reader_of::<StockEvent>(),
        "stock-levels" => reader_of::<StockLevelChanged>(),
        "products" => reader_of::<ProductListed>(),
        _ => return None,
    })
}

fn reader_of<M: Inbound>() -> Reader {
    Reader {
        types: M::TYPES,
        decode: |message_type, body| M::decode(message_type, body).map(drop),
    }
}

/// Every place of the body that breaks the schema, if it is JSON and the type has one.
fn by_schema(message_type: &str, body: &[u8]) -> Vec<Wrong> {
    let (Some(schema), Ok(body)) = (
        contracts::schemas().remove(message_type),
        serde_json::from_slice::<Value>(body),
    ) else {
        return Vec::new();
    };
    let options = jsonschema::options().should_validate_formats(true);
    let Ok(validator) = options.build(&schema) else {
        return Vec::new();
    };
    let errors = validator.iter_errors(&body);
    let wrong = errors.map(|error| Wrong {
        field: format!("body{}", error.instance_path()),
        message: error.to_string(),
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "019ac1d2-7c8e-7000-8000-000000000001";

    fn fields(target: &str, message_type: &str, body: &str) -> Vec<String> {
        let wrong = check(target, message_type, body.as_bytes());
        wrong.into_iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn what_its_consumer_takes_is_right() {
        let body = format!(r#"{{"order_id":"{ORDER}"}}"#);
        let release = "spillway.release-stock.v1";
        for target in [STOCK_COMMANDS, "parcels.of-somebody-else"] {
            assert_eq!(fields(target, release, &body), [""; 0], "{target}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        let reserve = "spillway.reserve-stock.v1";
        let wrong_line =
            format!(r#"{{"order_id":"{ORDER}","lines":[{{"sku":"TEA","quantity":"two"}}]}}"#);
        for (message_type, body, expected) in [
            (reserve, wrong_line.as_str(), "body/lines/0/quantity"),
            (reserve, r#"{"order_id":"7","lines":[]}"#, "body"),
            (reserve, "{}", "body"),
            (reserve, "{", "body"),
            (reserve, "", "body"),
            ("spillway.reserve-stock.v9", "{}", "message_type"),
            ("", "{}", "message_type"),
        ] {
            let fields = fields(STOCK_COMMANDS, message_type, body);
            let first = fields.first().map(String::as_str);
            assert!(
                first.is_some_and(|field| field.starts_with(expected)),
                "{message_type} {body}: {fields:?}"
            );
        }
    }

    #[test]
    fn consumers_of_topics_are_known_by_the_queue_of_their_replays() {
        for (target, count) in [
            (STOCK_COMMANDS, 3),
            ("order.stock-events.replays", 2),
            ("notification.order-events.replays", 5),
            ("order.products.replays", 1),
            ("parcels.of-somebody-else", 0),
        ] {
            assert_eq!(types_of(target).len(), count, "{target}");
        }
    }
}
