use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::spawn_local;
use tokio::time::{MissedTickBehavior, interval};

use super::client::Client;
use super::orders;
use super::tracker::{Counts, Tracker};

/// When the next order is placed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// So many each second, by the clock.
    Rate(f64),
    /// As long as fewer than so many are still on their way.
    Backlog(u64),
}

/// Places orders through the gateway.
pub(super) struct Arrivals {
    client: Client,
    requests: Vec<Vec<u8>>,
    tracker: std::sync::Arc<Tracker>,
    error: RefCell<Option<anyhow::Error>>,
}

impl Arrivals {
    pub(super) fn new(client: Client, tracker: std::sync::Arc<Tracker>) -> Rc<Self> {
        let bodies = orders::bodies();
        let requests = bodies
            .iter()
            .map(|body| client.request("/api/orders", body))
            .collect();
        Rc::new(Self {
            client,
            requests,
            tracker,
            error: RefCell::default(),
        })
    }

    /// Places orders for a time. `on_its_way` says how many of all orders are, where that matters;
    /// `watch` is called four times a second.
    pub(super) async fn run(
        self: &Rc<Self>,
        pace: Pace,
        time: Duration,
        on_its_way: impl Fn(Counts) -> u64,
        mut watch: impl AsyncFnMut(Duration, Counts) -> Result<()>,
    ) -> Result<()> {
        let start = Instant::now();
        let mut placed = 0_u64;
        let mut watched = start;
        let mut ticks = interval(Duration::from_millis(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while start.elapsed() < time {
            ticks.tick().await;
            let due = match pace {
                Pace::Rate(rate) => due(start.elapsed(), rate).saturating_sub(placed),
                Pace::Backlog(limit) => limit.saturating_sub(on_its_way(self.tracker.counts())),
            };
            for _ in 0..due {
                let scheduled = match pace {
                    Pace::Rate(rate) => start + when(placed, rate),
                    Pace::Backlog(_) => Instant::now(),
                };
                self.tracker.placed();
                spawn_local(Rc::clone(self).place(placed, scheduled));
                placed += 1;
            }
            if watched.elapsed() >= Duration::from_millis(250) {
                watched = Instant::now();
                watch(start.elapsed(), self.tracker.counts()).await?;
                self.check()?;
            }
        }
        Ok(())
    }

    async fn place(self: Rc<Self>, number: u64, scheduled: Instant) {
        if let Err(error) = self.try_place(number, scheduled).await {
            self.tracker.failed();
            self.error.borrow_mut().get_or_insert(error);
        }
    }

    async fn try_place(&self, number: u64, scheduled: Instant) -> Result<()> {
        let index = usize::try_from(number)? % self.requests.len();
        let answer = self.client.send(&self.requests[index]).await?;
        let id = answer.location.as_deref().and_then(orders::id);
        match (answer.status, id) {
            (202, Some(id)) => self.tracker.accepted(id, scheduled),
            (status, _) => bail!("an order was answered with {status}"),
        }
        Ok(())
    }

    /// A few refusals are told in the outcome; when nearly all orders fail, nothing is measured.
    fn check(&self) -> Result<()> {
        let counts = self.tracker.counts();
        if counts.failed > 100 && counts.failed > counts.accepted {
            let error = self.error.borrow_mut().take().context("orders fail")?;
            return Err(error.context(format!("{} orders failed, at first", counts.failed)));
        }
        Ok(())
    }
}

/// How many orders are due by then.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number"
)]
pub(super) fn due(elapsed: Duration, rate: f64) -> u64 {
    // The first one is due at once.
    (elapsed.as_secs_f64() * rate) as u64 + 1
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn when(number: u64, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_due_once_its_time_has_come() {
        let rate = 50.0;
        for number in [0, 1, 7, 1_000] {
            let time = when(number, rate);
            assert_eq!(due(time + Duration::from_micros(1), rate), number + 1);
        }
    }
}
