use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};

/// The properties of a message as another producer might write them. What is empty is left out.
pub(crate) fn cloud_event(id: &str, message_type: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in [
        ("cloudEvents:id", id),
        ("cloudEvents:type", message_type),
        ("x-custom", "kept"),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    {
        let value = AMQPValue::LongString(LongString::from(value));
        headers.insert(name.into(), value);
    }
    BasicProperties::default()
        .with_headers(headers)
        .with_delivery_mode(2)
}

/// A header of a message as text; empty if it is not there.
pub(crate) fn amqp_header(properties: &BasicProperties, name: &str) -> String {
    let headers = properties.headers().clone().unwrap_or_default();
    match headers.inner().get(name) {
        Some(AMQPValue::LongString(value)) => value.to_string(),
        Some(AMQPValue::LongUInt(value)) => value.to_string(),
        Some(AMQPValue::LongInt(value)) => value.to_string(),
        Some(AMQPValue::LongLongInt(value)) => value.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}
