use crate::domain::{Place, Watched};
use crate::statistics::{BrokerState, Known};

/// For so many seconds a look at a topic speaks of now. It is older where nobody has watched for a while, or Kafka is slow.
const FRESH: f64 = 1.5;

/// Everything that messages can be stuck in.
pub(super) fn watched(known: &Known, now: f64) -> Vec<Watched> {
    let mut watched = Vec::new();
    let is_up = |broker: &BrokerState| broker.up() == Some(true);
    for (name, queue) in known
        .queues
        .states()
        .filter(|(_, queue)| queue.is_work() && is_up(&known.rabbitmq))
    {
        watched.push(Watched {
            name: name.to_owned(),
            service: queue.last.service().to_owned(),
            waiting: queue.last.messages,
            consumers: queue.last.consumers,
            age: queue.age(now).map(|age| age.seconds),
            at_least: queue.age(now).is_some_and(|age| age.at_least),
            arriving: queue.arriving.per_second(),
            leaving: queue.leaving.per_second(),
            standing: Some(queue.standing(now)),
            partition: None,
        });
    }
    for (topic, state) in known.topics.states().filter(|_| is_up(&known.kafka)) {
        for (name, group) in &state.groups {
            let service = name.split('.').next().unwrap_or_default();
            for (number, partition) in (0..).zip(&group.partitions) {
                let since = known.standing_since(service, partition.standing_since);
                watched.push(Watched {
                    name: format!("{topic}/{number}"),
                    service: service.to_owned(),
                    waiting: Some(partition.lag),
                    consumers: Some(group.members as u64),
                    age: partition.age(known.clock),
                    at_least: false,
                    arriving: None,
                    leaving: None,
                    standing: Some(standing(now, state.at, since)),
                    partition: Some(Place {
                        partition: number,
                        offset: partition.committed.unwrap_or_default(),
                        key: partition.head.as_ref().and_then(|head| head.key.clone()),
                    }),
                });
            }
        }
    }
    watched
}

/// For how long a partition has not come any further, as far as that was looked at.
fn standing(now: f64, looked_at: f64, since: f64) -> f64 {
    now.min(looked_at + FRESH) - since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_does_not_stand_only_because_nobody_has_looked() {
        assert_eq!(standing(100.5, 100.0, 90.0), 10.5);
        assert_eq!(standing(105.0, 100.0, 100.0), FRESH);
        assert_eq!(standing(105.0, 100.0, 90.0), 11.5);
    }
}
