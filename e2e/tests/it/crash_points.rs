//! A process dies between any two steps; nothing is lost and nothing happens twice.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::Stack;

use crate::support::broken::Broken;
use crate::support::customers::Customers;
use crate::support::help::values_of;
use crate::support::poisoned::Poisoned;

/// A restarted process has to be delivered everything again first.
const AFTER_A_CRASH: Duration = Duration::from_secs(90);

/// Where `order`, `inventory` and `notification` break, all three in one round: every point at least
/// once, and those that several services pass in the one that has most to lose there.
const ROUNDS: [[&str; 3]; 8] = [
    ["outbox-written", "queue-committed", "provider-accepted"],
    ["outbox-committed", "queue-acknowledged", "topic-committed"],
    ["rabbitmq-taken", "handled", "topic-stored"],
    ["rabbitmq-published", "inbox-claimed", "queue-committed"],
    ["rabbitmq-confirmed", "kafka-taken", "topic-dead-lettered"],
    ["kafka-published", "queue-moved-on", "rabbitmq-published"],
    ["kafka-confirmed", "kafka-published", "rabbitmq-confirmed"],
    ["topic-committed", "kafka-confirmed", "handled"],
];

#[tokio::test]
async fn a_process_may_die_at_every_crash_point() -> Result<()> {
    let stack = Stack::alone().await?;
    let mut hit = BTreeSet::new();
    for round in ROUNDS {
        let broken = Broken::start(&stack, round, "abort").await?;
        let customers = Customers::order(&stack, 12).await?;
        let poisoned = Poisoned::send(&stack).await?;
        hit.extend(broken.all_have_struck().await?);
        let told = format!("crash points {round:?}");
        customers
            .are_served(&stack, AFTER_A_CRASH)
            .await
            .context(told)?;
        poisoned.are_dead_letters(&stack, AFTER_A_CRASH).await?;
    }
    let all = values_of(&stack.compose, "--crash-at").await?;
    ensure!(all == hit, "never hit: {:?}", all.difference(&hit));
    Ok(())
}
