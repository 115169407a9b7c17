use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::select_all;
use harness::{Gateway, SOON, http_client, wish};
use tokio::time::{sleep, timeout};

use super::Bench;

/// For how long the database says nothing, and closes nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// They ask all the time, so that every connection of every pool meets the silence.
const CUSTOMERS: usize = 16;
const PAUSE: Duration = Duration::from_millis(100);
/// Nobody waits longer than this for a benchmark.
const LIMIT: Duration = Duration::from_secs(600);

impl Bench {
    /// In seconds from the moment at which the database is back until the first order is confirmed.
    pub(super) async fn silent_database(&self) -> Result<f64> {
        let gateway = Gateway::new(http_client(Duration::from_secs(3))?)?;
        self.compose.run(&["pause", "postgres"]).await?;
        let customers = (0..CUSTOMERS).map(|_| Box::pin(first_confirmed(&gateway)));
        let first = timeout(LIMIT, select_all(customers));
        let back = async {
            sleep(SILENCE).await;
            self.compose.run(&["unpause", "postgres"]).await?;
            anyhow::Ok(Instant::now())
        };
        let (first, back) = tokio::join!(first, back);
        let (first, ..) = first.context("no order is confirmed any more")?;
        Ok(first.saturating_duration_since(back?).as_secs_f64())
    }
}

/// When one of the orders of a customer is confirmed that orders until then.
async fn first_confirmed(gateway: &Gateway) -> Instant {
    loop {
        let placed = gateway.place(&wish("PADDLE-CARBON", 1)).await;
        if let Ok(order) = placed
            && (gateway.reaches(order.id, "confirmed", SOON).await).is_ok()
        {
            return Instant::now();
        }
        sleep(PAUSE).await;
    }
}
