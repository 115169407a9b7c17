use lapin::BasicProperties;
use lapin::types::{AMQPValue, LongString};

use contracts::topology::DEAD_LETTERS;

use crate::rabbitmq::{Outgoing, again, short};

/// A message that could not be handled, and what is known about that.
///
/// It travels with its original headers and body, and says in headers of its own what failed. A
/// replay goes back to the consumer that failed, so every source names exactly one.
pub(crate) struct DeadLetter {
    pub(crate) source: Source,
    pub(crate) service: &'static str,
    pub(crate) handler: &'static str,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
    /// The original properties and headers, translated to AMQP if they came by Kafka.
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

/// Where the message was when it failed.
pub(crate) enum Source {
    Queue {
        queue: String,
        exchange: String,
        routing_key: String,
    },
    Topic {
        topic: String,
        partition: i32,
        offset: i64,
        group: String,
        key: Option<Vec<u8>>,
    },
}

impl DeadLetter {
    /// The message to publish: to every queue bound to the exchange of dead letters.
    pub(crate) fn into_message(self) -> Outgoing {
        let text = |value: &str| AMQPValue::LongString(LongString::from(value));
        let mut own = vec![
            ("dead-letter-service", text(self.service)),
            ("dead-letter-handler", text(self.handler)),
            ("dead-letter-reason", text(cut(&self.reason))),
            ("dead-letter-attempts", AMQPValue::LongUInt(self.attempts)),
            (
                "dead-letter-time",
                text(&jiff::Timestamp::now().to_string()),
            ),
        ];
        match &self.source {
            Source::Queue {
                queue,
                exchange,
                routing_key,
            } => own.extend([
                ("dead-letter-queue", text(queue)),
                ("dead-letter-exchange", text(exchange)),
                ("dead-letter-routing-key", text(routing_key)),
            ]),
            Source::Topic {
                topic,
                partition,
                offset,
                group,
                key,
            } => {
                own.extend([
                    ("dead-letter-topic", text(topic)),
                    ("dead-letter-partition", AMQPValue::LongInt(*partition)),
                    ("dead-letter-offset", AMQPValue::LongLongInt(*offset)),
                    ("dead-letter-consumer-group", text(group)),
                ]);
                own.extend(key.as_ref().map(|key| {
                    (
                        "dead-letter-key",
                        AMQPValue::LongString(LongString::from(&key[..key.len().min(LONGEST)])),
                    )
                }));
            }
        }

        Outgoing {
            exchange: DEAD_LETTERS.name.into(),
            routing_key: short(match &self.source {
                Source::Queue { queue, .. } => queue,
                Source::Topic { topic, .. } => topic,
            }),
            properties: again(&self.properties, own),
            body: self.body,
        }
    }
}

/// What may be long is cut to so many bytes, since all headers have to fit into one frame.
const LONGEST: usize = 1024;

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
