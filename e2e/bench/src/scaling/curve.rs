use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::costs::rounded;

/// The consumers that are compared with one.
const MANY: u32 = 4;

/// What was measured of both brokers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Curves {
    pub(crate) rabbitmq: Vec<Step>,
    pub(crate) kafka: Vec<Step>,
}

/// What so many consumers did together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) consumers: u32,
    /// Messages a second.
    pub(crate) per_s: f64,
    /// The same as a multiple of what one consumer did, where that is known.
    pub(crate) times: Option<f64>,
    /// The share of what as many would do if nothing but waiting held them up.
    pub(crate) of_ideal: Option<f64>,
}

impl Curves {
    /// Each with the name of its broker.
    pub(super) fn by_broker(&self) -> [(&'static str, &[Step]); 2] {
        [("RabbitMQ", &self.rabbitmq), ("Kafka", &self.kafka)]
    }

    /// As the benchmark reports them.
    pub(crate) fn figures(&self) -> [(String, Value); 2] {
        let mut four = Map::new();
        for (broker, steps) in self.by_broker() {
            let many = steps.iter().find(|step| step.consumers == MANY);
            if let Some(times) = many.and_then(|step| step.times) {
                four.insert(broker.to_owned(), times.into());
            }
        }
        [
            ("scaling".to_owned(), json!(self)),
            ("four_against_one".to_owned(), four.into()),
        ]
    }
}

/// Compares each of these rates, by number of consumers, with that of one.
pub(super) fn steps(rates: &[(u32, f64)]) -> Vec<Step> {
    let alone = rates.iter().find(|(consumers, _)| *consumers == 1);
    let alone = alone.map(|(_, per_s)| *per_s).filter(|per_s| *per_s > 0.0);
    let step = |&(consumers, per_s): &(u32, f64)| {
        let times = alone.map(|alone| per_s / alone);
        let of_ideal = times.map(|times| times / f64::from(consumers));
        Step {
            consumers,
            per_s: rounded(per_s, 10.0),
            times: times.map(|times| rounded(times, 100.0)),
            of_ideal: of_ideal
                .filter(|share| share.is_finite())
                .map(|share| rounded(share, 1_000.0)),
        }
    };
    rates.iter().map(step).collect()
}

/// How many messages a second were handled while the middle half of them was, when these are the times of all, in
/// seconds and in any order. Before that, consumers are still coming back to work; after that, the first of them
/// may have nothing left to do, because no two partitions have the same number of records. Nothing if that took no
/// time.
pub(super) fn middle_rate(times: &[f64]) -> Option<f64> {
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    let (first, last) = (times.len() / 4, times.len() * 3 / 4);
    let took = times.get(last)? - times.get(first)?;
    (took > 0.0).then(|| (last - first) as f64 / took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_middle_half() {
        // A slow begin, 50/s, and a consumer that goes on alone in the end.
        let begin = (0..100).map(|number| f64::from(number) * 0.1);
        let middle = (0..200).map(|number| 10.0 + f64::from(number) * 0.02);
        let end = (0..100).map(|number| 14.0 + f64::from(number) * 0.5);
        let mut times: Vec<_> = begin.chain(middle).chain(end).collect();
        times.reverse();
        let rate = middle_rate(&times).unwrap_or_default();
        assert!((rate - 50.0).abs() < 0.01, "{rate}");
    }

    #[test]
    fn where_nothing_took_time_there_is_no_rate() {
        assert_eq!(middle_rate(&[]), None);
        assert_eq!(middle_rate(&[3.0]), None);
        assert_eq!(middle_rate(&[7.0; 1_000]), None);
        assert_eq!(middle_rate(&[2.0, 1.0]), Some(1.0));
    }

    #[test]
    fn every_rate_is_compared_with_that_of_one_consumer() {
        let steps = steps(&[(1, 40.0), (2, 79.98), (4, 150.0)]);
        let seen: Vec<_> = steps
            .iter()
            .map(|step| (step.times, step.of_ideal))
            .collect();
        let expected = [(1.0, 1.0), (2.0, 1.0), (3.75, 0.938)];
        assert_eq!(
            seen,
            expected.map(|(times, share)| (Some(times), Some(share)))
        );
        assert_eq!(steps[1].per_s, 80.0);
    }

    #[test]
    fn without_the_rate_of_one_consumer_nothing_is_compared() {
        for rates in [&[(2, 80.0)][..], &[(1, 0.0), (2, 80.0)]] {
            let steps = steps(rates);
            let known = steps.iter().filter(|step| step.times.is_some());
            assert_eq!((steps.len(), known.count()), (rates.len(), 0));
        }
        assert_eq!(steps(&[(1, 40.0), (0, 0.0)])[1].of_ideal, None);
    }

    #[test]
    fn four_consumers_against_one_are_a_figure_only_where_both_were_measured() {
        let curves = Curves {
            rabbitmq: steps(&[(1, 40.0), (4, 156.0)]),
            kafka: steps(&[(4, 156.0)]),
        };
        let [(_, scaling), (_, four)] = curves.figures();
        assert_eq!(four, json!({"RabbitMQ": 3.9}));
        assert_eq!(scaling["kafka"][0]["times"], Value::Null);
        let again: Result<Curves, _> = serde_json::from_value(scaling);
        assert_eq!(again.ok(), Some(curves));
    }
}
