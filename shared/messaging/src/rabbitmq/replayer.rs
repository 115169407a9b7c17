use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, ErrorKind};
use tokio::time::timeout;

use super::channel::{ConfirmChannel, Outgoing};
use super::connection::{Purpose, RabbitMq, TIMEOUT};
use super::properties::{ATTRIBUTES, TRACEPARENT, delivery_mode, short_string};
use crate::consume::Envelope;
use crate::letters::Replay;
use crate::outbox::{PublishError, own_exchange};

/// Header that names the letter of which a message is a replay.
pub(super) const REPLAY_OF: &str = "replay-of";

/// Publishes to the queues of consumers that failed.
pub struct Replayer {
    rabbitmq: RabbitMq,
    channel: ConfirmChannel,
}

impl Replayer {
    pub(crate) fn new(rabbitmq: RabbitMq) -> Self {
        Self {
            channel: ConfirmChannel::to_others(rabbitmq.clone()),
            rabbitmq,
        }
    }

    /// Publishes all and waits for the broker's confirm. Answers for each in the same order: nothing when it
    /// is in its queue, or why that queue does not take it.
    ///
    /// # Errors
    ///
    /// When the broker is away, or has not confirmed one of them in time: then any of them may be in its queue
    /// or not.
    pub async fn publish(&mut self, replays: &[Replay]) -> anyhow::Result<Vec<Result<(), String>>> {
        let queues: BTreeSet<_> = replays.iter().map(|replay| replay.queue.as_str()).collect();
        let mut missing = BTreeMap::new();
        for queue in queues {
            if let Some(reason) = self.missing(queue).await? {
                missing.insert(queue, reason);
            }
        }
        let there = replays.iter();
        let there = there.filter(|replay| !missing.contains_key(replay.queue.as_str()));
        let window: Vec<_> = there.map(outgoing).collect();
        let mut published = self.channel.publish(&window).await.into_iter();
        let answer = |replay: &Replay| match missing.get(replay.queue.as_str()) {
            Some(reason) => Ok(Err(reason.clone())),
            None => match published.next().context("an answer for each")? {
                Ok(()) => Ok(Ok(())),
                Err(PublishError::Refused(reason)) => Ok(Err(reason)),
                Err(error @ PublishError::Unavailable(_)) => Err(error.into()),
            },
        };
        replays.iter().map(answer).collect()
    }

    /// Why nothing can be published to the queue, if it is not there.
    async fn missing(&self, queue: &str) -> anyhow::Result<Option<String>> {
        let channel = self.rabbitmq.channel(Purpose::Publish).await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let asked = channel.queue_declare(short_string(queue), options, FieldTable::default());
        match timeout(TIMEOUT, asked)
            .await
            .context("RabbitMQ did not answer in time")?
        {
            Ok(_) => {
                let closed = channel.close(200, "asked".into());
                timeout(TIMEOUT, closed).await.ok();
                Ok(None)
            }
            // The answer costs the channel.
            Err(error) if matches!(error.kind(), ErrorKind::ProtocolError(_)) => {
                Ok(Some(format!("there is no queue `{queue}`")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn outgoing(replay: &Replay) -> Outgoing {
    let mut headers = FieldTable::default();
    let mut set = |name: String, value: &str| {
        headers.insert(short_string(&name), AMQPValue::LongString(value.into()));
    };
    let attributes = [
        (Envelope::SPEC_VERSION, Some("1.0")),
        (Envelope::ID, Some(replay.message_id.as_str())),
        (Envelope::TYPE, Some(&replay.message_type)),
        (Envelope::SOURCE, replay.source.as_deref()),
        (Envelope::TIME, replay.written.as_deref()),
    ];
    for (name, value) in attributes {
        if let Some(value) = value {
            set(format!("{ATTRIBUTES}{name}"), value);
        }
    }
    set(TRACEPARENT.to_owned(), &replay.traceparent);
    set(REPLAY_OF.to_owned(), &replay.letter.to_string());
    Outgoing {
        exchange: short_string(&own_exchange(&replay.queue)),
        routing_key: short_string(&replay.queue),
        properties: BasicProperties::default()
            .with_message_id(short_string(&replay.message_id))
            .with_type(short_string(&replay.message_type))
            .with_content_type("application/json".into())
            .with_delivery_mode(delivery_mode())
            .with_headers(headers),
        body: replay.body.clone(),
    }
}
