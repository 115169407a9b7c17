//! Messages that nobody can handle.

use anyhow::Result;
use checker::{CONSUMERS, Poison};
use contracts::topology::{
    COMMANDS, NOTIFICATION_EMAIL, NOTIFICATION_PUSH, NOTIFICATION_SMS, ORDER_EVENTS,
    PAYMENT_DEADLINES, PRODUCTS, STOCK_COMMANDS, STOCK_EVENTS, STOCK_LEVELS, STOCK_RELEASE, Topic,
};
use contracts::{
    CancelUnpaidOrder, Message, OrderPlaced, ProductListed, ReleaseStock, ReserveStock,
    SendNotification, StockLevelChanged, StockReserved,
};
use fastrand::Rng;
use harness::cloud_event;
use uuid::Uuid;

use super::Reached;
use crate::Arena;

/// Exchange, routing key and queue, and a type that is at home there. The API calls the default
/// exchange by a name of its own.
pub(super) const QUEUES: [(&str, &str, &str, &str); 5] = [
    (
        "commands",
        "stock.reserve",
        STOCK_COMMANDS,
        ReserveStock::TYPE,
    ),
    (
        "amq.default",
        PAYMENT_DEADLINES,
        PAYMENT_DEADLINES,
        CancelUnpaidOrder::TYPE,
    ),
    (
        "notifications",
        "email.order-paid.standard",
        NOTIFICATION_EMAIL,
        SendNotification::TYPE,
    ),
    (
        "notifications",
        "sms.order-paid.vip",
        NOTIFICATION_SMS,
        SendNotification::TYPE,
    ),
    (
        "notifications",
        "push.order-paid.standard",
        NOTIFICATION_PUSH,
        SendNotification::TYPE,
    ),
];

pub(super) const TOPICS: [(Topic, &str); 4] = [
    (ORDER_EVENTS, OrderPlaced::TYPE),
    (STOCK_EVENTS, StockReserved::TYPE),
    (PRODUCTS, ProductListed::TYPE),
    (STOCK_LEVELS, StockLevelChanged::TYPE),
];

/// A version that is still to come of [`ReleaseStock`].
pub(crate) const TO_BE_MENDED: &str = "spillway.release-stock.v999";

/// A type beside that which is at home somewhere.
#[derive(Clone, Copy)]
enum OfType {
    AtHome,
    /// A version of it that is still to come.
    Newer,
    Unknown,
}

/// The last one is poison in a queue only: facts of which its readers know nothing are nobody's business.
const POISON: [(OfType, &str); 5] = [
    (OfType::AtHome, "{ this is no JSON"),
    (OfType::AtHome, r#"{"neither":"this","nor":"that"}"#),
    (OfType::AtHome, ""),
    (OfType::Newer, "{}"),
    (OfType::Unknown, "{}"),
];
const IN_TOPICS: usize = POISON.len() - 1;

impl Arena {
    /// One in every queue and topic. A broker that is away does not get any, or nobody knows: then
    /// the poison is not certain.
    pub(super) async fn poison_all(&self, seed: u64) -> Result<Reached> {
        let mut rng = Rng::with_seed(seed);
        let mut reached = Reached::default();
        for (exchange, routing_key, queue, at_home) in QUEUES {
            let (message_type, body) = poison(at_home, &POISON, &mut rng);
            let event = cloud_event(&message_type);
            let published = self
                .rabbitmq
                .publish(exchange, routing_key, event.properties(), body)
                .await;
            reached.rabbitmq |= published.is_ok();
            self.poisoned(Poison {
                message_id: event.id,
                consumers: vec![queue.to_owned()],
                is_certain: published.is_ok(),
            });
        }
        reached.rabbitmq |= self.poison_to_be_mended().await;
        for (topic, at_home) in TOPICS {
            let (message_type, body) = poison(at_home, &POISON[..IN_TOPICS], &mut rng);
            let event = cloud_event(&message_type);
            let place = (topic.name, rng.i32(0..topic.partitions));
            let written = self
                .topics
                .write(place, "poison", &event.headers(), body.as_bytes())
                .await;
            reached.kafka |= written.is_ok();
            let readers = CONSUMERS.iter().filter(|reader| reader.topic == topic);
            self.poisoned(Poison {
                message_id: event.id,
                consumers: readers.map(|reader| reader.group.to_owned()).collect(),
                is_certain: written.is_ok(),
            });
        }
        Ok(reached)
    }
}

impl Arena {
    /// What is right but for its version: somebody mends and replays it once everything is healed.
    async fn poison_to_be_mended(&self) -> bool {
        let release = ReleaseStock {
            order_id: Uuid::now_v7(),
        };
        let event = cloud_event(TO_BE_MENDED);
        let body = serde_json::to_string(&release).unwrap_or_default();
        let published = self
            .rabbitmq
            .publish(COMMANDS.name, STOCK_RELEASE, event.properties(), &body)
            .await;
        self.poisoned(Poison {
            message_id: event.id,
            consumers: vec![STOCK_COMMANDS.to_owned()],
            is_certain: published.is_ok(),
        });
        published.is_ok()
    }
}

fn poison(
    at_home: &str,
    poison: &[(OfType, &'static str)],
    rng: &mut Rng,
) -> (String, &'static str) {
    let (of_type, body) = poison[rng.usize(..poison.len())];
    let name = at_home.rsplit_once(".v").map_or(at_home, |(name, _)| name);
    let message_type = match of_type {
        OfType::AtHome => at_home.to_owned(),
        OfType::Newer => format!("{name}.v999"),
        OfType::Unknown => "spillway.turn-lead-into-gold.v1".to_owned(),
    };
    (message_type, body)
}
