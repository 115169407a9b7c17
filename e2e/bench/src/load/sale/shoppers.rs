use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::super::client::Client;
use super::super::orders;
use super::{Counts, Plan};

/// How many can be served at once; the others wait, and their patience ends all the same.
const CONNECTIONS: usize = 256;
/// How long a shopper waits for a connection and an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long answers are waited for when the sale was told to stop.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// Place the orders of a sale.
pub(super) struct Shoppers {
    client: Client,
    requests: Vec<Vec<u8>>,
    counts: Counts,
    stop: CancellationToken,
}

impl Shoppers {
    pub(super) fn new(url: &str, counts: Counts, stop: CancellationToken) -> Result<Self> {
        let client = Client::new(url, CONNECTIONS)?;
        let bodies = orders::bodies();
        let requests = bodies.iter();
        let requests = requests.map(|body| client.request("/api/orders", body));
        Ok(Self {
            requests: requests.collect(),
            client,
            counts,
            stop,
        })
    }

    /// Each comes when the clock says so, whatever became of those before, and the sale ends with the last
    /// answer.
    pub(super) async fn come(self, plan: Plan) {
        let Plan {
            rate_per_s,
            seconds,
            by,
        } = &plan;
        info!(rate_per_s, seconds, by, "a flash sale begins");
        let shoppers = Arc::new(self);
        let tasks = TaskTracker::new();
        tokio::select! {
            () = shoppers.come_by_the_clock(&plan, &tasks) => {}
            () = shoppers.stop.cancelled() => {}
        }
        tasks.close();
        tasks.wait().await;
        let [placed, refused, failed] = shoppers.counts.now();
        info!(placed, refused, failed, "the flash sale has ended");
    }

    async fn come_by_the_clock(self: &Arc<Self>, plan: &Plan, tasks: &TaskTracker) {
        let start = Instant::now();
        let mut ticks = interval(Duration::from_millis(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut come = 0;
        while come < plan.orders() {
            ticks.tick().await;
            let due = plan.due(start.elapsed());
            for number in come..due {
                tasks.spawn(Arc::clone(self).place(number));
            }
            come = due;
        }
    }

    async fn place(self: Arc<Self>, number: u64) {
        let told_to_leave = async {
            self.stop.cancelled().await;
            sleep(LAST_ANSWERS).await;
        };
        let status = tokio::select! {
            status = timeout(PATIENCE, self.status(number)) => status.ok().and_then(Result::ok),
            () = told_to_leave => None,
        };
        self.counts.add(status);
    }

    async fn status(&self, number: u64) -> Result<u16> {
        let index = usize::try_from(number)? % self.requests.len();
        let answer = self.client.send(&self.requests[index]).await?;
        Ok(answer.status)
    }
}
