use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use contracts::{Message as _, OrderConfirmed, topology::ORDER_EVENTS};
use harness::TopicReader;

use super::tracker::Tracker;

/// Tells the tracker which orders are confirmed from now on, until nobody else has the tracker.
pub(super) fn follow_order_events(tracker: &Arc<Tracker>) -> Result<()> {
    let reader = TopicReader::follow(ORDER_EVENTS)?;
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
