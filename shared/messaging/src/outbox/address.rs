use std::borrow::Cow;
use std::time::Duration;

use contracts::Route;
use jiff::SignedDuration;

use crate::transport::Transport;

/// A [`Route`] in the terms of its broker. Nothing else in this crate knows how a route becomes an
/// exchange, a queue, a delay queue or a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) transport: Transport,
    /// Exchange or topic.
    pub(crate) destination: Cow<'static, str>,
    /// Routing key, or key of the record.
    pub(crate) key: Cow<'static, str>,
}

impl Address {
    /// Where a message of this route and ordering key is published.
    pub(crate) fn new(route: Route, ordering_key: &str) -> Self {
        let (transport, destination, key) = match route {
            Route::Exchange {
                exchange,
                routing_key,
            } => (Transport::RabbitMq, exchange.name.into(), routing_key),
            Route::Queue { queue } => (
                Transport::RabbitMq,
                own_exchange(queue).into(),
                queue.into(),
            ),
            Route::Topic { topic } => (
                Transport::Kafka,
                topic.name.into(),
                ordering_key.to_owned().into(),
            ),
        };
        Self {
            transport,
            destination,
            key,
        }
    }

    /// Where a message waits for `delay` before it enters its queue; without the delay for a
    /// route that does not lead to a queue.
    pub(crate) fn delayed(route: Route, ordering_key: &str, delay: Duration) -> Self {
        let address = Self::new(route.clone(), ordering_key);
        match route {
            Route::Queue { queue } => Self {
                key: delay_queue_name(queue, delay).into(),
                ..address
            },
            Route::Exchange { .. } | Route::Topic { .. } => address,
        }
    }
}

/// Whether a message of `queue` that comes from this other queue has waited there for a while.
pub(crate) fn is_delay_queue_of(queue: &str, other: &str) -> bool {
    let rest = other.strip_prefix(queue);
    rest.is_some_and(|rest| rest.starts_with(".delay."))
}

/// The queue in which messages for `queue` wait for `delay`, for example
/// `order.payment-deadlines.delay.15m`.
pub(crate) fn delay_queue_name(queue: &str, delay: Duration) -> String {
    let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
    format!("{queue}.delay.{}", format!("{delay:#}").replace(' ', ""))
}

/// The direct exchange by which the owner of a queue reaches it and its delay queues, each by its
/// name: `order.own` for all queues of `order`.
///
/// The default exchange would reach every queue of everybody, and RabbitMQ can only permit it as a
/// whole. An exchange for each service is what confines its user to its own queues.
pub(crate) fn own_exchange(queue: &str) -> String {
    let owner = queue.split_once('.').map_or(queue, |(owner, _)| owner);
    format!("{owner}{OWN}")
}

/// Whether an exchange is that of a single service.
pub(crate) fn is_own_exchange(exchange: &str) -> bool {
    exchange.ends_with(OWN)
}

const OWN: &str = ".own";

#[cfg(test)]
mod tests {
    use contracts::topology::{COMMANDS, ORDER_EVENTS};

    use super::*;

    #[test]
    fn a_delay_queue_is_named_after_its_queue_and_delay() {
        for (milliseconds, name) in [
            (250, "work.delay.250ms"),
            (1_000, "work.delay.1s"),
            (1_500, "work.delay.1s500ms"),
            (900_000, "work.delay.15m"),
            (5_400_000, "work.delay.1h30m"),
            (86_400_000, "work.delay.24h"),
        ] {
            let delay = Duration::from_millis(milliseconds);
            assert_eq!(delay_queue_name("work", delay), name);
        }
    }

    #[test]
    fn all_queues_of_a_service_are_reached_by_one_exchange() {
        assert_eq!(own_exchange("order.payment-deadlines"), "order.own");
        assert_eq!(
            own_exchange("order.payment-deadlines.delay.15m"),
            "order.own"
        );
    }

    #[test]
    fn only_a_message_for_a_queue_can_be_delayed() {
        let exchange = Route::Exchange {
            exchange: COMMANDS,
            routing_key: "stock.reserve".into(),
        };
        let queue = Route::Queue { queue: "work" };
        let topic = Route::Topic {
            topic: ORDER_EVENTS,
        };
        for (route, address, delayed) in [
            (exchange, ("commands", "stock.reserve"), "stock.reserve"),
            (queue, ("work.own", "work"), "work.delay.5s"),
            (topic, ("order-events", "key"), "key"),
        ] {
            let at_once = Address::new(route.clone(), "key");
            assert_eq!((&*at_once.destination, &*at_once.key), address);
            let later = Address::delayed(route, "key", Duration::from_secs(5));
            assert_eq!((&*later.destination, &*later.key), (address.0, delayed));
        }
    }
}
