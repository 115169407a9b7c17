//! Bytes that no producer of ours sends, in every queue and topic.

use std::time::Duration;

use checker::{CONSUMERS, Poison, foreign_body};
use fastrand::Rng;
use harness::{RawAmqp, RawMessage, RawRecord, RawValue};
use uuid::Uuid;

use super::Reached;
use super::poison::{QUEUES, TOPICS};
use crate::Arena;

/// From one round to the next.
const PAUSE: Duration = Duration::from_secs(4);
/// No character begins with it.
const FF: &[u8] = b"\xFF";
/// Below the longest frame of AMQP, together with all else.
const LARGE: usize = 60_000;
/// Deeper than anybody who reads headers follows.
const DEEP: usize = 40;

/// Somebody whose client checks nothing.
pub(crate) struct Stranger {
    rng: Rng,
    pub(super) reached: Reached,
}

impl Stranger {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            reached: Reached::default(),
        }
    }
}

impl Arena {
    /// One in every queue and topic. A broker that is away does not get any more in this round, and nobody knows
    /// about the last one.
    pub(super) async fn send_foreign(&self, stranger: &mut Stranger) -> Duration {
        self.publish_foreign(stranger).await;
        self.write_foreign(stranger).await;
        PAUSE
    }

    async fn publish_foreign(&self, stranger: &mut Stranger) {
        let Ok(mut client) = RawAmqp::connect().await else {
            return;
        };
        for (_, _, queue, at_home) in QUEUES {
            let id = Uuid::now_v7();
            let message = message(id, at_home, &mut stranger.rng);
            let is_certain = client.publish(queue, &message).await.is_ok();
            self.poisoned(Poison {
                message_id: id.to_string(),
                consumers: vec![queue.to_owned()],
                is_certain,
            });
            if !is_certain {
                return;
            }
            stranger.reached.rabbitmq = true;
        }
    }

    async fn write_foreign(&self, stranger: &mut Stranger) {
        for (topic, at_home) in TOPICS {
            let id = Uuid::now_v7();
            let place = (topic.name, stranger.rng.i32(0..topic.partitions));
            let (record, is_poison) = record(id, at_home, &mut stranger.rng);
            let is_certain = record.produce(place).await.is_ok();
            let readers = CONSUMERS.iter().filter(|reader| reader.topic == topic);
            if is_poison {
                self.poisoned(Poison {
                    message_id: id.to_string(),
                    consumers: readers.map(|reader| reader.group.to_owned()).collect(),
                    is_certain,
                });
            }
            if !is_certain {
                return;
            }
            stranger.reached.kafka = true;
        }
    }
}

/// What becomes a dead letter, whether its properties can be read or not.
fn message(id: Uuid, at_home: &str, rng: &mut Rng) -> RawMessage {
    let text = |value: &[u8]| RawValue::Text(value.to_vec());
    let usual = RawMessage {
        message_id: id.to_string().into_bytes(),
        message_type: at_home.as_bytes().to_vec(),
        headers: Vec::new(),
        body: foreign_body(id).into_bytes(),
    };
    let with = |name: &[u8], value| RawMessage {
        headers: vec![(name.to_vec(), value)],
        ..usual.clone()
    };
    match rng.u8(..7) {
        0 => with(FF, text(b"name")),
        1 => with(b"deep", RawValue::Nested(DEEP)),
        2 => with(b"large", text(&vec![b'x'; LARGE])),
        // Named like ours.
        3 => with(b"failed-attempts", text(b"9999999999999999999")),
        4 => with(b"traceparent", text(FF)),
        5 => RawMessage {
            message_id: FF.to_vec(),
            ..usual
        },
        _ => RawMessage {
            message_type: FF.to_vec(),
            ..usual
        },
    }
}

/// What becomes a dead letter of every reader, or nobody's business: a type of which no reader knows.
fn record(id: Uuid, at_home: &str, rng: &mut Rng) -> (RawRecord, bool) {
    let header = |name: &[u8], value: &[u8]| (name.to_vec(), value.to_vec());
    let attributes = |message_type: &str| {
        vec![
            header(b"ce_id", id.to_string().as_bytes()),
            header(b"ce_type", message_type.as_bytes()),
            header(b"ce_source", b"stranger"),
            header(b"ce_specversion", b"1.0"),
        ]
    };
    let usual = RawRecord {
        key: b"foreign".to_vec(),
        headers: attributes(at_home),
        value: foreign_body(id).into_bytes(),
    };
    let with = |name: &[u8], value: &[u8]| RawRecord {
        headers: [vec![header(name, value)], usual.headers.clone()].concat(),
        ..usual.clone()
    };
    match rng.u8(..6) {
        0 => (with(FF, b"name"), true),
        1 => (with(b"large", &vec![b'x'; LARGE]), true),
        2 => (with(b"failed-attempts", b"9999999999999999999"), true),
        3 => (with(b"traceparent", FF), true),
        4 => {
            let key = FF.to_vec();
            (RawRecord { key, ..usual }, true)
        }
        _ => {
            let headers = attributes("stranger.something-happened.v1");
            (RawRecord { headers, ..usual }, false)
        }
    }
}
