use std::collections::BTreeMap;

use anyhow::Context;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::channel::{ConfirmChannel, Outgoing};
use super::connection::RabbitMq;
use super::dead_letters::DOUBT;
use super::properties::{ATTRIBUTES, TRACEPARENT, delivery_mode, short_string};
use crate::consume::Envelope;
use crate::letters::Replay;
use crate::outbox::{PublishError, own_exchange};

/// Header that names the letter of which a message is a replay.
pub(super) const REPLAY_OF: &str = "replay-of";

/// Publishes to the queues of consumers that failed.
pub struct Replayer {
    channel: ConfirmChannel,
}

impl Replayer {
    pub(crate) fn new(rabbitmq: RabbitMq) -> Self {
        Self {
            channel: ConfirmChannel::to_others(rabbitmq),
        }
    }

    /// Publishes all and waits for the broker's confirm. Answers for each in the same order: nothing when it
    /// is in its queue, or why that queue does not take it, which may be that it is not there.
    ///
    /// # Errors
    ///
    /// When the broker is away, or has not confirmed one of them in time: then any of them may be in its queue
    /// or not.
    pub async fn publish(&mut self, replays: &[Replay]) -> anyhow::Result<Vec<Result<(), String>>> {
        let mut answers = vec![Ok(()); replays.len()];
        // Queue by queue, because one that is not there can cost the whole window.
        let mut queues = BTreeMap::<_, Vec<_>>::new();
        for (place, replay) in replays.iter().enumerate() {
            queues
                .entry(&replay.queue)
                .or_default()
                .push((place, replay));
        }
        for (queue, of_queue) in queues {
            let window: Vec<_> = of_queue
                .iter()
                .map(|(_, replay)| outgoing(replay))
                .collect();
            let published = self.channel.publish(&window).await;
            for ((place, _), published) in of_queue.iter().zip(published) {
                let answer = answers.get_mut(*place).context("an answer for each")?;
                match published {
                    Ok(()) => {}
                    Err(PublishError::Refused(reason) | PublishError::Closed(reason)) => {
                        *answer = Err(format!("queue `{queue}` does not take it: {reason}"));
                    }
                    Err(error @ PublishError::Unavailable(_)) => return Err(error.into()),
                }
            }
        }
        Ok(answers)
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
    if let Some(doubt) = replay.doubt {
        set(DOUBT.to_owned(), &doubt.to_string());
    }
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
