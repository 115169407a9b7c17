//! One notification effect for each event and channel.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::events::event_of;
use super::{Class, Notification, Observed, Order, Promise, Told, Verdict};

/// So many e-mails may be on their way at once. Each worker has one, an instance has 8 workers (`concurrency` in
/// `services/notification/src/main.rs`), and there are at most 4 instances (`Scale` in
/// `e2e/attacks/src/kind.rs`).
const ON_THEIR_WAY: usize = 8 * 4;
/// Where nobody counts takeovers, so many e-mails may leave again when a fault comes between the mail
/// server's answer and the commit: one that lasts can catch the second attempt as well.
const COPIES: usize = ON_THEIR_WAY * 2;

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    let mut found: HashMap<(Uuid, &str, &str), Vec<&Notification>> = HashMap::new();
    for one in &observed.notifications {
        let key = (one.order_id, one.event.as_str(), one.channel.as_str());
        found.entry(key).or_default().push(one);
    }
    for order in &observed.orders {
        for (event, channel, recipient) in expected(order) {
            match found.remove(&(order.id, event, channel)).as_deref() {
                None => {
                    let what = format!("no {channel} about {event} of order {}", order.id);
                    verdict.add(Promise::OneNotification, Class::Lost, what);
                }
                Some([one]) if one.recipient == recipient => {}
                Some([one]) => {
                    let what = format!("{channel} {} went to {}", one.id, one.recipient);
                    verdict.add(Promise::OneNotification, Class::Contradiction, what);
                }
                Some(several) => {
                    let times = several.len();
                    let what = format!("{times} times {channel} about {event} of {}", order.id);
                    verdict.add(Promise::OneNotification, Class::Duplicated, what);
                }
            }
        }
    }
    for ((order, event, channel), _) in found {
        let what = format!("{channel} about {event} of order {order}, which did not happen");
        verdict.add(Promise::OneNotification, Class::Unexpected, what);
    }
    let in_doubt = in_doubt(observed, verdict);
    for one in &observed.notifications {
        let (class, times) = match one.deliveries {
            0 if in_doubt.contains(&one.id) => continue,
            0 => (Class::Lost, "never"),
            1 => continue,
            _ => (Class::Duplicated, "more than once"),
        };
        let what = format!(
            "{} {} of order {} was sent {times}",
            one.channel, one.id, one.order_id
        );
        verdict.add(Promise::OneNotification, class, what);
    }
    shown(observed, verdict);
    emails(observed, verdict);
}

/// The e-mails of which nobody can tell whether they were delivered, so that they are dead letters: no more than
/// were on their way when the mail server was lost.
fn in_doubt(observed: &Observed, verdict: &mut Verdict) -> HashSet<Uuid> {
    let letters = observed.dead_letters.iter();
    let in_doubt: HashSet<Uuid> = letters.filter_map(|letter| letter.in_doubt).collect();
    verdict.emails_in_doubt = in_doubt.len();
    if in_doubt.len() > observed.cut_offs * ON_THEIR_WAY {
        let what = format!(
            "{} e-mails are in doubt, which {} cut-offs do not explain",
            in_doubt.len(),
            observed.cut_offs
        );
        verdict.add(Promise::OneNotification, Class::Lost, what);
    }
    in_doubt
}

/// The API shows what the database holds.
fn shown(observed: &Observed, verdict: &mut Verdict) {
    let asked = observed.told.iter().map(|one| (one.order_id, Vec::new()));
    let mut stored: HashMap<Uuid, Vec<(String, String)>> = asked.collect();
    for one in &observed.notifications {
        if let Some(stored) = stored.get_mut(&one.order_id) {
            stored.push((one.event.clone(), one.channel.clone()));
        }
    }
    for Told { order_id, told } in &observed.told {
        let mut expected = stored.remove(order_id).unwrap_or_default();
        expected.sort_unstable();
        if *told != expected {
            let what = format!("order {order_id}: stored {expected:?}, the API shows {told:?}");
            verdict.add(Promise::OneNotification, Class::Contradiction, what);
        }
    }
}

/// Push for every event, e-mail for every outcome, and a text message as well for a customer of tier
/// `vip` who left a number.
fn expected(order: &Order) -> impl Iterator<Item = (&str, &str, &str)> {
    let number = order.phone.as_deref().filter(|_| order.is_vip);
    order.history.iter().flat_map(move |step| {
        let event = event_of(&step.status);
        let is_outcome = event != "order-placed";
        let push = Some((event, "push", order.email.as_str()));
        let email = is_outcome.then_some((event, "email", order.email.as_str()));
        let sms = number
            .filter(|_| is_outcome)
            .map(|number| (event, "sms", number));
        [push, email, sms].into_iter().flatten()
    })
}

/// How many copies of e-mails there may be, and why.
fn explained(observed: &Observed) -> (usize, String) {
    let Observed {
        takeovers,
        interruptions,
        ..
    } = observed;
    match takeovers {
        Some(count) => (*count, format!("{count} takeovers")),
        None => (
            interruptions * COPIES,
            format!("{interruptions} interruptions"),
        ),
    }
}

/// The mail server has every e-mail that is said to be sent. It may have some twice, which both have
/// the same `Message-ID`: no more than were taken over from an instance that died with them. A doubt explains none,
/// because nobody replays an e-mail during the attacks.
fn emails(observed: &Observed, verdict: &mut Verdict) {
    let mut at_the_server = HashSet::new();
    for email in &observed.emails {
        if !at_the_server.insert(email.message_id.as_str()) {
            verdict.repeated_emails += 1;
        }
    }
    let (most, why) = explained(observed);
    if verdict.repeated_emails > most {
        let what = format!(
            "{} e-mails left twice, which {why} do not explain",
            verdict.repeated_emails
        );
        verdict.add(Promise::OneNotification, Class::Duplicated, what);
    }
    for one in observed
        .notifications
        .iter()
        .filter(|one| one.channel == "email")
    {
        let message_id = format!("<{}@spillway.example>", one.id);
        if !at_the_server.remove(message_id.as_str()) && one.deliveries > 0 {
            let what = format!("e-mail {} of order {} never arrived", one.id, one.order_id);
            verdict.add(Promise::OneNotification, Class::Lost, what);
        }
    }
    for message_id in at_the_server {
        let what = format!("e-mail {message_id}, of which no notification knows");
        verdict.add(Promise::OneNotification, Class::Unexpected, what);
    }
}
