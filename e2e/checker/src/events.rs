//! Events are written and consumed in the order of their versions, without gaps.

use std::collections::{HashMap, HashSet};

use contracts::topology::{ORDER_EVENTS, STOCK_EVENTS};
use uuid::Uuid;

use super::{CONSUMERS, Class, Consumer, Observed, Order, Promise, Record, Verdict};

type ByOrder<'a> = HashMap<Uuid, Vec<&'a Record>>;

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    let mut order_events = first_copies(&observed.order_events, verdict);
    let stock_events = first_copies(&observed.stock_events, verdict);
    let commits: HashMap<(&str, Uuid), i64> = (observed.handled.iter())
        .map(|one| ((one.handler, one.message_id), one.committed_at))
        .collect();
    for Consumer { handler, topic, .. } in CONSUMERS {
        if topic == ORDER_EVENTS {
            consumed(handler, &order_events, &commits, verdict);
        } else if topic == STOCK_EVENTS {
            consumed(handler, &stock_events, &commits, verdict);
        }
    }
    for order in &observed.orders {
        let records = order_events.remove(&order.id).unwrap_or_default();
        written(order, &records, verdict);
    }
    for id in order_events.keys() {
        let what = format!("order-events speaks of order {id}, which is nowhere");
        verdict.add(Promise::VersionsInOrder, Class::Unexpected, what);
    }
}

/// The records of each order without the copies of the same record, in the order of the topic.
fn first_copies<'a>(records: &'a [Record], verdict: &mut Verdict) -> ByOrder<'a> {
    let mut seen = HashSet::new();
    let mut by_order = ByOrder::new();
    for record in records {
        if seen.insert(record.id) {
            by_order.entry(record.order_id).or_default().push(record);
        } else {
            verdict.repeated_records += 1;
        }
    }
    by_order
}

/// The topic tells the history of the order.
fn written(order: &Order, records: &[&Record], verdict: &mut Verdict) {
    let expected: Vec<_> = (order.history.iter())
        .map(|step| (step.version, event_of(&step.status)))
        .collect();
    let found: Vec<_> = records
        .iter()
        .map(|record| (record.version, event_name(&record.message_type)))
        .collect();
    if found == expected && is_in_one_partition(records) {
        return;
    }
    let all_there = expected.iter().all(|event| found.contains(event));
    let class = if !all_there {
        Class::Lost
    } else if !found.iter().all(|event| expected.contains(event)) {
        Class::Unexpected
    } else if found.len() > expected.len() {
        Class::Duplicated
    } else {
        Class::Contradiction
    };
    let what = format!(
        "order {}: expected {expected:?}, order-events has {found:?}",
        order.id
    );
    verdict.add(Promise::VersionsInOrder, class, what);
}

fn is_in_one_partition(records: &[&Record]) -> bool {
    records
        .windows(2)
        .all(|pair| pair[0].partition == pair[1].partition)
}

/// Everything was handled, and what comes later in the topic not before what comes earlier.
fn consumed(
    handler: &str,
    events: &ByOrder<'_>,
    commits: &HashMap<(&str, Uuid), i64>,
    verdict: &mut Verdict,
) {
    for (order, records) in events {
        let mut latest = i64::MIN;
        for record in records {
            let Some(&committed_at) = commits.get(&(handler, record.id)) else {
                let what = format!("{handler} never handled {} of order {order}", record.id);
                verdict.add(Promise::VersionsInOrder, Class::Lost, what);
                continue;
            };
            if committed_at < latest {
                let what = format!("{handler} handled {} of order {order} too early", record.id);
                verdict.add(Promise::VersionsInOrder, Class::Contradiction, what);
            }
            latest = committed_at;
        }
    }
}

/// `order-placed` from `spillway.order-placed.v1`.
fn event_name(message_type: &str) -> &str {
    let name = message_type
        .strip_prefix("spillway.")
        .unwrap_or(message_type);
    name.rsplit_once(".v").map_or(name, |(name, _)| name)
}

/// The event that announces a status.
pub(super) fn event_of(status: &str) -> &str {
    match status {
        "pending" => "order-placed",
        "confirmed" => "order-confirmed",
        "rejected" => "order-rejected",
        "paid" => "order-paid",
        "cancelled" => "order-cancelled",
        other => other,
    }
}
