use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use contracts::{Message as _, OrderConfirmed, topology::ORDER_EVENTS};
use harness::TopicReader;

use super::tracker::Tracker;

/// So much later the tracker may learn of an order where orders are only counted.
const GATHERING: Duration = Duration::from_millis(50);

/// Tells the tracker which orders are confirmed from now on, until nobody else has the tracker: at once, if it is to know
/// when, and with less work for Kafka otherwise.
pub(super) fn follow_order_events(tracker: &Arc<Tracker>, at_once: bool) -> Result<()> {
    let reader = match at_once {
        true => TopicReader::follow(ORDER_EVENTS)?,
        false => TopicReader::gather(ORDER_EVENTS, GATHERING)?,
    };
    let tracker = Arc::downgrade(tracker);
    thread::spawn(move || {
        while let Some(tracker) = tracker.upgrade() {
            if let Some(record) = reader.next(Duration::from_millis(100))
                && record.message_type == OrderConfirmed::TYPE
                && let Ok(id) = record.key.parse()
            {
                tracker.confirmed(id, Instant::now());
            }
        }
    });
    Ok(())
}
