//! What one sees of a system that has kept every promise.

use std::collections::{BTreeMap, BTreeSet};

use checker::{
    Answered, Attempt, CONSUMERS, DeadLetter, Email, Handled, Lag, Level, Line, Listed,
    Notification, Observed, Order, Poison, Queue, Record, Reservation, Restock, Restocked, Step,
    Stock, Told,
};
use uuid::Uuid;

pub(crate) const SKU: &str = "KAYAK-SOLO";
/// Places of the orders in the picture.
pub(crate) const PAID: usize = 0;
pub(crate) const CANCELLED: usize = 1;
pub(crate) const REJECTED: usize = 2;
/// Of 105.
const TOO_MANY: i64 = 104;

/// One order of every kind, two pieces each but for one that was too large; the client of the last one
/// never got an answer.
pub(crate) fn healthy() -> Observed {
    let mut observed = Observed::default();
    for (index, (statuses, reservation)) in [
        (&["pending", "confirmed", "paid"][..], "sold"),
        (&["pending", "confirmed", "cancelled"], "released"),
        (&["pending", "rejected"], "refused"),
        (&["pending", "confirmed"], "reserved"),
        (&["pending", "cancelled"], "refused"),
    ]
    .into_iter()
    .enumerate()
    {
        add(&mut observed, index, statuses, reservation);
    }
    if let Some(last) = observed.answered.attempts.last_mut() {
        last.accepted.clear();
    }
    stock(&mut observed);
    brokers(&mut observed);
    observed
}

fn add(observed: &mut Observed, index: usize, statuses: &[&str], reservation: &str) {
    let id = Uuid::now_v7();
    let email = format!("{index}@chaos.example");
    let status = statuses.last().copied().unwrap_or_default();
    let history: Vec<_> = (1..)
        .zip(statuses)
        .map(|(version, status)| Step {
            status: (*status).to_owned(),
            version,
        })
        .collect();
    let version = i32::try_from(history.len()).unwrap();
    let lines = vec![Line {
        sku: SKU.to_owned(),
        quantity: if index == REJECTED { TOO_MANY } else { 2 },
    }];
    observed.answered.attempts.push(Attempt {
        email: email.clone(),
        lines: lines.clone(),
        asks_to_cancel: status == "cancelled",
        accepted: vec![id],
        paid: status == "paid",
        cancelled: status == "cancelled" && version == 3,
    });
    observed.listed.push(Listed {
        id,
        status: status.to_owned(),
        version,
    });
    let was_reserved = reservation != "refused";
    observed.reservations.push(Reservation {
        order_id: id,
        status: reservation.to_owned(),
        lines: if was_reserved {
            lines.clone()
        } else {
            Vec::new()
        },
    });
    let answer = if was_reserved {
        "stock-reserved"
    } else {
        "stock-refused"
    };
    let record = record(id, index, answer, 0);
    observed.stock_events.push(record);
    for step in &history {
        let event = match step.status.as_str() {
            "pending" => "placed",
            other => other,
        };
        let event = format!("order-{event}");
        observed
            .order_events
            .push(self::record(id, index, &event, step.version));
        for channel in ["push", "email", "sms"] {
            let is_told = channel == "push" || event != "order-placed";
            if is_told && (channel != "sms" || index == PAID) {
                notify(observed, id, &event, channel, &email);
            }
        }
    }
    observed.orders.push(Order {
        id,
        status: status.to_owned(),
        version,
        history,
        email,
        // Who is no vip gets no text message, number or not.
        phone: Some("+4930123456".to_owned()),
        is_vip: index == PAID,
        lines,
    });
}

fn record(order_id: Uuid, index: usize, name: &str, version: i32) -> Record {
    Record {
        id: Uuid::now_v7(),
        message_type: format!("spillway.{name}.v1"),
        partition: i32::try_from(index).unwrap(),
        order_id,
        version,
    }
}

fn notify(observed: &mut Observed, order_id: Uuid, event: &str, channel: &str, email: &str) {
    let id = Uuid::now_v7();
    if channel == "email" {
        let message_id = format!("<{id}@spillway.example>");
        observed.emails.push(Email { message_id });
    }
    let recipient = if channel == "sms" {
        "+4930123456"
    } else {
        email
    };
    observed.notifications.push(Notification {
        id,
        order_id,
        event: event.to_owned(),
        channel: channel.to_owned(),
        recipient: recipient.to_owned(),
        deliveries: 1,
    });
    let told = (event.to_owned(), channel.to_owned());
    match observed
        .told
        .iter_mut()
        .find(|one| one.order_id == order_id)
    {
        Some(one) => {
            one.told.push(told);
            one.told.sort_unstable();
        }
        None => observed.told.push(Told {
            order_id,
            told: vec![told],
        }),
    }
}

fn stock(observed: &mut Observed) {
    let level = Level {
        available: 101,
        reserved: 2,
        sold: 2,
        version: 9,
    };
    let before = Level {
        available: 98,
        reserved: 0,
        sold: 2,
        version: 8,
    };
    let stock = Stock {
        level,
        initial: 100,
        restocked: 5,
    };
    observed.stock = BTreeMap::from([(SKU.to_owned(), stock)]);
    observed.shown = BTreeMap::from([(SKU.to_owned(), level)]);
    observed.levels = vec![(SKU.to_owned(), before), (SKU.to_owned(), level)];
    observed.restocks.push(Restock {
        key: Some("delivery".to_owned()),
        sku: SKU.to_owned(),
        quantity: 5,
    });
    let Answered { restocked, .. } = &mut observed.answered;
    restocked.push(Restocked {
        key: "delivery".to_owned(),
        sku: SKU.to_owned(),
        quantity: 5,
        answered: true,
    });
}

fn brokers(observed: &mut Observed) {
    for (handler, records) in [
        ("notify-customers", &observed.order_events),
        ("confirm-or-reject", &observed.stock_events),
    ] {
        observed
            .handled
            .extend((1..).zip(records).map(|(committed_at, record)| Handled {
                handler,
                message_id: record.id,
                committed_at,
            }));
    }
    for service in ["order", "inventory", "notification"] {
        observed.outboxes.insert(service.to_owned(), 0);
    }
    for consumer in CONSUMERS {
        let group = consumer.group.to_owned();
        observed.lags.push(Lag {
            group,
            partition: 0,
            records: 0,
        });
    }
    let name = "inventory.stock-commands".to_owned();
    observed.queues.push(Queue {
        name: name.clone(),
        messages: 0,
    });
    for (message_id, is_certain) in [("poison", true), ("perhaps", false)] {
        observed.poison.push(Poison {
            message_id: message_id.to_owned(),
            consumers: vec![name.clone()],
            is_certain,
        });
    }
    observed.declared_before = BTreeSet::from([format!("the queue {name}")]);
    observed.declared.clone_from(&observed.declared_before);
    observed.dead_letters.push(DeadLetter {
        message_id: "poison".to_owned(),
        consumer: name,
        reason: "malformed".to_owned(),
        in_doubt: None,
    });
}
