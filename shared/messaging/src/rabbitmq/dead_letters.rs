use std::collections::BTreeMap;

use contracts::topology::DEAD_LETTERS;
use futures::FutureExt;
use futures::future::BoxFuture;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};
use uuid::Uuid;

use super::channel::{ConfirmChannel, Outgoing};
use super::connection::RabbitMq;
use super::properties::{short_string, string};
use super::republished::republished;
use crate::consume::{DeadLetter, DeadLetters, Origin, Original};
use crate::outbox::PublishError;

/// What may be long is cut to so many bytes, since all headers have to fit into one frame.
const LONGEST: usize = 1024;
/// The largest body that RabbitMQ takes, unless told otherwise. A record of Kafka may be larger.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// With this begin the names of all headers that say what failed.
pub(super) const PREFIX: &str = "dead-letter-";
/// Header that names the doubt of which a dead letter tells. Unlike the others it keeps its name when the message is sent
/// again and fails again: by it the consumer knows that whoever has sent the message was told.
pub(super) const DOUBT: &str = "in-doubt";

/// Publishes dead letters that come from another broker.
pub(crate) struct DeadLetterExchange {
    channel: ConfirmChannel,
}

impl DeadLetterExchange {
    pub(crate) fn new(rabbitmq: RabbitMq) -> Self {
        Self {
            channel: ConfirmChannel::new(rabbitmq, Vec::new()),
        }
    }
}

impl DeadLetters for DeadLetterExchange {
    fn publish(
        &mut self,
        letters: Vec<(DeadLetter, Original)>,
    ) -> BoxFuture<'_, Vec<Result<(), PublishError>>> {
        let letters: Vec<_> = letters
            .into_iter()
            .map(|(letter, original)| {
                let (properties, body) = translate(original);
                outgoing(&letter, &properties, body)
            })
            .collect();
        async move { self.channel.publish(&letters).await }.boxed()
    }
}

/// The message to publish: to every queue bound to the exchange of dead letters.
pub(super) fn outgoing(
    letter: &DeadLetter,
    properties: &BasicProperties,
    mut body: Vec<u8>,
) -> Outgoing {
    let mut headers = headers(letter);
    if body.len() > LARGEST_BODY {
        let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
        headers.push(("dead-letter-body-cut", AMQPValue::LongLongInt(length)));
        body.truncate(LARGEST_BODY);
    }
    let routing_key = match &letter.origin {
        Origin::Queue { queue, .. } => queue,
        Origin::Topic { topic, .. } => topic,
    };
    Outgoing {
        exchange: DEAD_LETTERS.name.into(),
        routing_key: short_string(routing_key),
        properties: republished(properties, headers),
        body,
    }
}

fn headers(letter: &DeadLetter) -> Vec<(&'static str, AMQPValue)> {
    let text = |value: &str| AMQPValue::LongString(LongString::from(value));
    let now = jiff::Timestamp::now().to_string();
    let mut headers = vec![
        ("dead-letter-service", text(letter.service)),
        ("dead-letter-handler", text(letter.handler)),
        ("dead-letter-reason", text(&letter.reason)),
        ("dead-letter-attempts", AMQPValue::LongUInt(letter.attempts)),
        ("dead-letter-time", text(&now)),
    ];
    headers.extend(letter.doubt.map(|doubt| (DOUBT, text(&doubt.to_string()))));
    match &letter.origin {
        Origin::Queue {
            queue,
            exchange,
            routing_key,
        } => headers.extend([
            ("dead-letter-queue", text(queue)),
            ("dead-letter-exchange", text(exchange)),
            ("dead-letter-routing-key", text(routing_key)),
        ]),
        Origin::Topic {
            topic,
            partition,
            offset,
            group,
            key,
        } => {
            headers.extend([
                ("dead-letter-topic", text(topic)),
                ("dead-letter-partition", AMQPValue::LongInt(*partition)),
                ("dead-letter-offset", AMQPValue::LongLongInt(*offset)),
                ("dead-letter-consumer-group", text(group)),
            ]);
            headers.extend(key.as_ref().map(|key| {
                let key = LongString::from(&key[..key.len().min(LONGEST)]);
                ("dead-letter-key", AMQPValue::LongString(key))
            }));
        }
    }
    headers
}

/// The doubt that a message names.
pub(super) fn doubt_of(properties: &BasicProperties) -> Option<Uuid> {
    let headers = properties.headers().as_ref()?.inner();
    string(headers.get(DOUBT)?)?.parse().ok()
}

/// The headers of a message of another broker as AMQP properties. Values keep their bytes, those of one name
/// become a list.
fn translate(original: Original) -> (BasicProperties, Vec<u8>) {
    let mut values = BTreeMap::<_, Vec<AMQPValue>>::new();
    for (name, value) in original.headers {
        let text = |value| AMQPValue::LongString(LongString::from(value));
        let value = value.map_or(AMQPValue::Void, text);
        values.entry(short_string(&name)).or_default().push(value);
    }
    let mut table = FieldTable::default();
    for (name, values) in values {
        let value = match <[_; 1]>::try_from(values) {
            Ok([value]) => value,
            Err(values) => AMQPValue::FieldArray(values.into()),
        };
        table.insert(name, value);
    }
    if let Ok(count @ 1..) = u32::try_from(original.unreadable_headers) {
        table.insert("unreadable-headers".into(), AMQPValue::LongUInt(count));
    }
    let mut properties = BasicProperties::default()
        .with_headers(table)
        .with_message_id(short_string(&original.id));
    if let Some(message_type) = original.message_type {
        properties = properties.with_type(short_string(&message_type));
    }
    (properties, original.body)
}
