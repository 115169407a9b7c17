use std::fmt;
use std::time::Duration;

use anyhow::Context;
use contracts::topology::{Exchange, ExchangeKind};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind as Kind};
use tokio::time::timeout;

use super::channel::Address;
use super::connection::TIMEOUT;
use super::properties::short_string;
use crate::faults::{Guarantee, without};
use crate::outbox::{delay_queue_name, own_exchange};

/// One thing that a service needs to be there at the broker.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Exchange {
        name: String,
        kind: Kind,
    },
    Queue {
        name: String,
        arguments: FieldTable,
    },
    Binding {
        queue: String,
        exchange: String,
        key: String,
    },
}

impl Piece {
    pub(super) fn exchange(exchange: Exchange) -> Self {
        Self::Exchange {
            name: exchange.name.to_owned(),
            kind: match exchange.kind {
                ExchangeKind::Direct => Kind::Direct,
                ExchangeKind::Topic => Kind::Topic,
                ExchangeKind::Fanout => Kind::Fanout,
            },
        }
    }

    /// The exchange by which the owner of the queue reaches it.
    pub(super) fn own_exchange(queue: &str) -> Self {
        Self::direct_exchange(&own_exchange(queue))
    }

    pub(super) fn direct_exchange(name: &str) -> Self {
        Self::Exchange {
            name: name.to_owned(),
            kind: Kind::Direct,
        }
    }

    /// A durable quorum queue. Limits and dead-lettering by the broker are set by policy, so that an
    /// operator can change them without touching the service.
    pub(super) fn queue(name: &str) -> Self {
        let kind = if without(Guarantee::Persistence) {
            "classic"
        } else {
            "quorum"
        };
        Self::Queue {
            name: name.to_owned(),
            arguments: of_kind(kind),
        }
    }

    /// The queue in which messages wait before they enter `queue`. It has no consumer: all its
    /// messages expire after the same time, so none waits behind one with a longer delay.
    pub(super) fn delay_queue(queue: &str, delay: Duration) -> Self {
        let text = |value: &str| AMQPValue::LongString(value.into());
        let milliseconds = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        let mut arguments = of_kind("quorum");
        for (name, value) in [
            ("x-message-ttl", AMQPValue::LongLongInt(milliseconds)),
            ("x-dead-letter-exchange", text(&own_exchange(queue))),
            ("x-dead-letter-routing-key", text(queue)),
            // A message leaves the delay queue only once the other queue has confirmed it.
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
        ] {
            arguments.insert(name.into(), value);
        }
        Self::Queue {
            name: delay_queue_name(queue, delay),
            arguments,
        }
    }

    pub(super) fn binding(queue: &str, exchange: &str, key: &str) -> Self {
        Self::Binding {
            queue: queue.to_owned(),
            exchange: exchange.to_owned(),
            key: key.to_owned(),
        }
    }

    /// The binding by which the owner of the queue reaches it.
    pub(super) fn own_binding(queue: &str) -> Self {
        Self::binding(queue, &own_exchange(queue), queue)
    }

    /// Changes nothing when it is there already. What the broker refuses costs the channel.
    pub(super) async fn declare(&self, channel: &Channel) -> anyhow::Result<()> {
        timeout(TIMEOUT, self.declare_by(channel))
            .await
            .context("timed out")?
            .with_context(|| format!("cannot declare {self}"))
    }

    /// Whether it is a binding by which a message to this address reaches a queue. A key of a direct exchange
    /// has no wildcards, so one rule is enough.
    pub(super) fn leads_from(&self, (exchange, key): &Address) -> bool {
        let Self::Binding {
            exchange: from,
            key: pattern,
            ..
        } = self
        else {
            return false;
        };
        let pattern: Vec<_> = pattern.split('.').collect();
        let words: Vec<_> = key.as_str().split('.').collect();
        from == exchange.as_str() && matches(&pattern, &words)
    }

    /// Takes a binding away. Messages that need it are returned until it is declared again.
    pub(super) async fn unbind(&self, channel: &Channel) -> anyhow::Result<()> {
        let Self::Binding {
            queue,
            exchange,
            key,
        } = self
        else {
            return Ok(());
        };
        let (queue, exchange) = (short_string(queue), short_string(exchange));
        let none = FieldTable::default();
        timeout(
            TIMEOUT,
            channel.queue_unbind(queue, exchange, short_string(key), none),
        )
        .await
        .context("timed out")?
        .with_context(|| format!("cannot remove {self}"))
    }

    async fn declare_by(&self, channel: &Channel) -> lapin::Result<()> {
        match self {
            Self::Exchange { name, kind } => {
                let options = ExchangeDeclareOptions {
                    durable: true,
                    ..Default::default()
                };
                let (name, none) = (short_string(name), FieldTable::default());
                channel
                    .exchange_declare(name, kind.clone(), options, none)
                    .await
            }
            Self::Queue { name, arguments } => {
                let (name, durable) = (short_string(name), QueueDeclareOptions::durable());
                let declared = channel.queue_declare(name, durable, arguments.clone());
                declared.await.map(drop)
            }
            Self::Binding {
                queue,
                exchange,
                key,
            } => {
                let (queue, exchange) = (short_string(queue), short_string(exchange));
                let (options, none) = (QueueBindOptions::default(), FieldTable::default());
                channel
                    .queue_bind(queue, exchange, short_string(key), options, none)
                    .await
            }
        }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange { name, .. } => write!(f, "exchange `{name}`"),
            Self::Queue { name, .. } => write!(f, "queue `{name}`"),
            Self::Binding {
                queue,
                exchange,
                key,
            } => write!(f, "binding of queue `{queue}` to `{exchange}` by `{key}`"),
        }
    }
}

/// The rule of a topic exchange: `*` stands for one word, `#` for any number of them.
fn matches(pattern: &[&str], words: &[&str]) -> bool {
    match (pattern, words) {
        ([], words) => words.is_empty(),
        (["#", pattern @ ..], words) => {
            (0..=words.len()).any(|number| matches(pattern, &words[number..]))
        }
        ([one, pattern @ ..], [word, words @ ..]) => {
            (one == word || *one == "*") && matches(pattern, words)
        }
        _ => false,
    }
}

fn of_kind(kind: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_leads_from_the_addresses_that_its_pattern_matches() {
        for (pattern, key, is_match) in [
            ("email.#", "email", true),
            ("email.#", "email.confirmed.vip", true),
            ("email.#", "sms.confirmed.vip", false),
            ("sms.*.vip", "sms.confirmed.vip", true),
            ("sms.*.vip", "sms.vip", false),
            ("sms.*.vip", "sms.confirmed.vip.twice", false),
            ("#.vip.*", "a.vip.vip.b", true),
            ("stock.reserve", "stock.reserve", true),
            ("stock.reserve", "stock.release", false),
            ("", "", true),
        ] {
            let binding = Piece::binding("queue", "from", pattern);
            assert_eq!(
                binding.leads_from(&("from".into(), key.into())),
                is_match,
                "{pattern} {key}"
            );
            assert!(!binding.leads_from(&("elsewhere".into(), key.into())));
        }
    }
}
