//! The dead letters are the messages that nobody could handle, and nothing else.

use std::collections::HashMap;

use super::{Class, Observed, Promise, Verdict};

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    let mut letters: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
    // What became of an e-mail that is in doubt is a question of notifications.
    let certain = (observed.dead_letters.iter()).filter(|letter| letter.in_doubt.is_none());
    for letter in certain {
        let key = (letter.message_id.as_str(), letter.consumer.as_str());
        letters.entry(key).or_default().push(&letter.reason);
    }
    for poison in &observed.poison {
        for consumer in &poison.consumers {
            let found = letters.remove(&(poison.message_id.as_str(), consumer.as_str()));
            match found.map_or(0, |copies| copies.len()) {
                0 if poison.is_certain => {
                    let what = format!("poison {} vanished at {consumer}", poison.message_id);
                    verdict.add(Promise::DeadLettersArePoison, Class::Lost, what);
                }
                copies => verdict.repeated_dead_letters += copies.saturating_sub(1),
            }
        }
    }
    for ((id, consumer), reasons) in letters {
        let reason = reasons.first().copied().unwrap_or_default();
        let what = format!("message {id} is a dead letter of {consumer}: {reason}");
        verdict.add(Promise::DeadLettersArePoison, Class::Unexpected, what);
    }
}
