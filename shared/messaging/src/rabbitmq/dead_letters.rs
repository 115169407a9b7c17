use contracts::topology::DEAD_LETTERS;
use futures::FutureExt;
use futures::future::BoxFuture;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};

use super::channel::{ConfirmChannel, Outgoing};
use super::connection::RabbitMq;
use super::properties::short_string;
use super::republished::republished;
use crate::consume::{DeadLetter, DeadLetters, Origin, Original};
use crate::outbox::PublishError;

/// What may be long is cut to so many bytes, since all headers have to fit into one frame.
const LONGEST: usize = 1024;

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
    body: Vec<u8>,
) -> Outgoing {
    let routing_key = match &letter.origin {
        Origin::Queue { queue, .. } => queue,
        Origin::Topic { topic, .. } => topic,
    };
    Outgoing {
        exchange: DEAD_LETTERS.name.into(),
        routing_key: short_string(routing_key),
        properties: republished(properties, headers(letter)),
        body,
    }
}

fn headers(letter: &DeadLetter) -> Vec<(&'static str, AMQPValue)> {
    let text = |value: &str| AMQPValue::LongString(LongString::from(value));
    let now = jiff::Timestamp::now().to_string();
    let mut headers = vec![
        ("dead-letter-service", text(letter.service)),
        ("dead-letter-handler", text(letter.handler)),
        ("dead-letter-reason", text(shortened(&letter.reason))),
        ("dead-letter-attempts", AMQPValue::LongUInt(letter.attempts)),
        ("dead-letter-time", text(&now)),
    ];
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

/// The headers of a message of another broker as AMQP properties. Values keep their bytes.
fn translate(original: Original) -> (BasicProperties, Vec<u8>) {
    let mut table = FieldTable::default();
    for (name, value) in original.headers {
        let value = LongString::from(value);
        table.insert(short_string(&name), AMQPValue::LongString(value));
    }
    let mut properties = BasicProperties::default()
        .with_headers(table)
        .with_message_id(short_string(&original.id));
    if let Some(message_type) = original.message_type {
        properties = properties.with_type(short_string(&message_type));
    }
    (properties, original.body)
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
