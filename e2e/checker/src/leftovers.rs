//! Nothing is left on its way.

use super::{Class, Observed, Promise, Verdict};

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    let mut left = |what| verdict.add(Promise::NothingLeftBehind, Class::Contradiction, what);
    for (service, rows) in observed.outboxes.iter().filter(|(_, rows)| **rows > 0) {
        left(format!("{rows} messages in the outbox of {service}"));
    }
    for queue in observed.queues.iter().filter(|queue| queue.messages > 0) {
        left(format!("{} messages in {}", queue.messages, queue.name));
    }
    for lag in observed.lags.iter().filter(|lag| lag.records > 0) {
        left(format!(
            "{} is {} records behind in partition {}",
            lag.group, lag.records, lag.partition
        ));
    }
}
