//! Nothing waits for ever: orders whose answer never came, and orders whose payment deadline never came.
//!
//! Both are messages that were lost behind the back of this service, for example with a topic that was read too
//! late or a queue that somebody has emptied. Several instances may sweep at once.

use std::time::Duration;

use database::within_limit;
use jiff::Timestamp;
use messaging::{Bus, Cause};
use opentelemetry::{global, metrics::Counter};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::announce::{announce, ask};
use crate::domain::{Event, Outcome};
use crate::store;

/// Orders of one transaction.
const PORTION: i64 = 200;

/// How often orders are looked for, unless they are overdue sooner.
const INTERVAL: Duration = Duration::from_secs(30);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// Looks for orders that have waited too long.
pub struct Sweep {
    bus: Bus,
    pending_after: Duration,
    payment_deadline: Duration,
    unpaid_after: Duration,
    asked_again: Counter<u64>,
    cancelled: Counter<u64>,
}

impl Sweep {
    /// Asks again about what is pending for longer than the first time, and cancels what is not paid for longer than
    /// the third after its payment deadline, which is the second.
    #[must_use]
    pub fn new(
        bus: Bus,
        pending_after: Duration,
        payment_deadline: Duration,
        unpaid_after: Duration,
    ) -> Self {
        let meter = global::meter("order");
        Self {
            bus,
            pending_after,
            payment_deadline,
            unpaid_after,
            asked_again: meter
                .u64_counter("spillway.orders.asked_again")
                .with_description("Times that stock was asked for once more, because no answer had come.")
                .build(),
            cancelled: meter
                .u64_counter("spillway.orders.swept")
                .with_description("Unpaid orders that were cancelled although their payment deadline had not come.")
                .build(),
        }
    }

    /// Sweeps until stopped. The database may come and go.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        let soonest = self.pending_after.min(self.unpaid_after).min(INTERVAL);
        let mut tick = interval(soonest.max(SHORTEST_INTERVAL));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while token.run_until_cancelled(tick.tick()).await.is_some() {
            let sweeping = self.sweep(store::now(), &token);
            if let Err(error) = sweeping.await {
                let error = format!("{error:#}");
                warn!(
                    error,
                    "cannot look for orders that wait too long, next try soon"
                );
            }
        }
        Ok(())
    }

    /// Looks once, in portions, as of this moment.
    ///
    /// # Errors
    ///
    /// When the database does not answer. What was done until then stands.
    pub async fn sweep(&self, now: Timestamp, token: &CancellationToken) -> sqlx::Result<()> {
        while !token.is_cancelled() && within_limit(self.ask_again(now)).await? == PORTION {}
        while !token.is_cancelled() && within_limit(self.cancel_unpaid(now)).await? == PORTION {}
        Ok(())
    }

    /// Asks `inventory` once more about a portion of the orders that it has not answered. If it has decided before,
    /// it says the same again. Answers how many orders these were.
    async fn ask_again(&self, now: Timestamp) -> sqlx::Result<i64> {
        let mut tx = self.bus.begin().await?;
        let forgotten = store::forget_answered(&mut tx, PORTION).await?;
        let orders = store::take_unanswered(&mut tx, now, self.pending_after, PORTION).await?;
        if orders.is_empty() && forgotten == 0 {
            return Ok(0);
        }
        for order in &orders {
            ask(&mut tx, &Cause::none(), order);
        }
        tx.commit().await?;
        if let Some(oldest) = orders.first() {
            let (count, pending_after) = (orders.len(), self.pending_after);
            warn!(
                order_id = %oldest.id,
                count,
                "asked for stock again: {count} orders got no answer within {pending_after:?}"
            );
            self.asked_again.add(count as u64, &[]);
        }
        Ok(count_of(orders.len()))
    }

    /// Cancels a portion of the orders whose payment deadline has long passed, as its message would have done.
    /// Answers how many orders were looked at.
    async fn cancel_unpaid(&self, now: Timestamp) -> sqlx::Result<i64> {
        let mut tx = self.bus.begin().await?;
        let (deadline, after) = (self.payment_deadline, self.unpaid_after);
        let ids = store::unpaid(&mut tx, now, deadline, after, PORTION).await?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut orders = store::lock(&mut tx, &ids).await?;
        let mut cancelled = Vec::with_capacity(ids.len());
        for id in &ids {
            // Somebody may have paid or cancelled it until it was locked.
            if let Some(mut order) = orders.remove(id)
                && order.apply(Event::DeadlinePassed, now) == Outcome::Changed
            {
                announce(&mut tx, &Cause::none(), &order);
                cancelled.push(order);
            }
        }
        let saved: Vec<_> = cancelled.iter().collect();
        store::save(&mut tx, &saved).await?;
        tx.commit().await?;
        if let Some(oldest) = cancelled.first() {
            let count = cancelled.len();
            warn!(
                order_id = %oldest.id,
                count,
                "cancelled {count} unpaid orders whose payment deadline has not come"
            );
            self.cancelled.add(count as u64, &[]);
        }
        Ok(count_of(ids.len()))
    }
}

fn count_of(orders: usize) -> i64 {
    i64::try_from(orders).unwrap_or(PORTION)
}
