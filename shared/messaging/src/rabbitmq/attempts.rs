use lapin::BasicProperties;
use lapin::types::AMQPValue;

use super::properties::string;
use super::republished::republished;
use crate::outbox::is_delay_queue_of;

/// Header that says how many attempts to handle this message have failed.
pub(super) const ATTEMPTS: &str = "failed-attempts";
/// Where the broker says which queues a message has left other than by an acknowledgement, the last one first.
const DEATHS: &str = "x-death";

/// How many attempts to handle the message have failed before this delivery.
///
/// The count is believed only where a delay queue of `queue` has given the message back, because into those only
/// its consumer publishes what it has counted. A producer's own count uses up nothing, and a dead letter has none:
/// put back into its queue, it has all its attempts.
pub(super) fn failed_attempts(properties: &BasicProperties, queue: &str) -> u32 {
    counted(properties, queue).unwrap_or(0)
}

fn counted(properties: &BasicProperties, queue: &str) -> Option<u32> {
    let headers = properties.headers().as_ref()?.inner();
    let AMQPValue::FieldArray(deaths) = headers.get(DEATHS)? else {
        return None;
    };
    let AMQPValue::FieldTable(last) = deaths.as_slice().first()? else {
        return None;
    };
    let text = |name| last.inner().get(name).and_then(string);
    let waited = text("reason")? == "expired" && is_delay_queue_of(queue, &text("queue")?);
    match headers.get(ATTEMPTS)? {
        AMQPValue::LongUInt(attempts) if waited => Some(*attempts),
        _ => None,
    }
}

/// The same properties, for another attempt.
pub(super) fn with_failed_attempts(properties: &BasicProperties, attempts: u32) -> BasicProperties {
    republished(properties, [(ATTEMPTS, AMQPValue::LongUInt(attempts))])
}

#[cfg(test)]
mod tests {
    use lapin::types::FieldTable;

    use super::*;

    /// As the broker writes it when a message leaves a queue.
    fn death(queue: &str, reason: &str) -> AMQPValue {
        let mut death = FieldTable::default();
        for (name, value) in [("queue", queue), ("reason", reason)] {
            death.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        AMQPValue::FieldArray(vec![AMQPValue::FieldTable(death)].into())
    }

    fn failed(count: AMQPValue, deaths: AMQPValue) -> u32 {
        let mut headers = FieldTable::default();
        headers.insert(ATTEMPTS.into(), count);
        headers.insert(DEATHS.into(), deaths);
        let properties = BasicProperties::default().with_headers(headers);
        failed_attempts(&properties, "work")
    }

    #[test]
    fn failed_attempts_are_counted_where_a_delay_queue_gave_the_message_back() {
        let fresh = BasicProperties::default();
        assert_eq!(failed_attempts(&fresh, "work"), 0);
        assert_eq!(failed_attempts(&with_failed_attempts(&fresh, 1), "work"), 0);
        for (deaths, counted) in [
            (death("work.delay.1s", "expired"), 3),
            (death("work.delay.1s", "rejected"), 0),
            (death("work", "expired"), 0),
            (death("other.delay.1s", "expired"), 0),
            (AMQPValue::LongString("work.delay.1s".into()), 0),
        ] {
            let text = format!("{deaths:?}");
            assert_eq!(failed(AMQPValue::LongUInt(3), deaths), counted, "{text}");
        }
    }

    #[test]
    fn a_count_of_another_type_than_ours_is_none() {
        for foreign in [
            AMQPValue::LongLongInt(i64::MAX),
            AMQPValue::LongInt(-1),
            AMQPValue::LongString("3".into()),
        ] {
            assert_eq!(failed(foreign, death("work.delay.1s", "expired")), 0);
        }
    }
}
