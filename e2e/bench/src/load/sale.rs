//! A flash sale: for a while many orders come each second, because somebody asked for it over HTTP.
//!
//! The service `load` has nothing to do until then. There is one sale at a time, it is bounded in rate, time
//! and orders, and it ends by itself, when it is told to and with the process. Each process knows its own
//! sales only, so there is one instance of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub mod config;
pub mod http;

mod counts;
mod plan;
mod shoppers;

use counts::Counts;
use plan::Plan;
use shoppers::Shoppers;

/// The sales of this process: the one that is on, or else the last one.
pub struct Sales {
    gateway_url: String,
    is_demo: bool,
    life: CancellationToken,
    last: Mutex<Option<Sale>>,
}

/// A sale at one moment.
#[derive(Debug, Clone)]
struct Figures {
    plan: Plan,
    is_running: bool,
    started_at: Timestamp,
    /// When it will end, or was told to.
    ends_at: Timestamp,
    counts: Counts,
}

#[derive(Clone)]
struct Sale {
    plan: Plan,
    started_at: Timestamp,
    ends_at: Timestamp,
    counts: Counts,
    stop: CancellationToken,
    /// Has the one task that ends with the last answer.
    run: TaskTracker,
}

impl Sales {
    /// Orders go to the gateway at this URL, where demonstrations are allowed and as long as `life` lasts.
    #[must_use]
    pub fn new(gateway_url: String, is_demo: bool, life: CancellationToken) -> Self {
        Self {
            gateway_url,
            is_demo,
            life,
            last: Mutex::default(),
        }
    }

    /// Starts a sale, unless one is running.
    fn start(&self, plan: Plan) -> Result<Option<Figures>> {
        let mut last = self.last();
        if last.as_ref().is_some_and(Sale::is_running) {
            return Ok(None);
        }
        let started_at = Timestamp::now();
        let sale = Sale {
            ends_at: started_at + plan.time(),
            started_at,
            counts: Counts::default(),
            stop: self.life.child_token(),
            run: TaskTracker::new(),
            plan,
        };
        let counts = sale.counts.clone();
        let shoppers = Shoppers::new(&self.gateway_url, counts, sale.stop.clone())?;
        sale.run.spawn(shoppers.come(sale.plan.clone()));
        sale.run.close();
        Ok(Some(last.insert(sale).figures()))
    }

    /// Ends the sale, if there is one, and waits until it has ended.
    async fn stop(&self) -> Option<Figures> {
        let sale = self.told_to_stop()?;
        sale.run.wait().await;
        Some(sale.figures())
    }

    fn told_to_stop(&self) -> Option<Sale> {
        let mut last = self.last();
        let sale = last.as_mut()?;
        if sale.is_running() {
            sale.ends_at = sale.ends_at.min(Timestamp::now());
            sale.stop.cancel();
        }
        Some(sale.clone())
    }

    fn figures(&self) -> Option<Figures> {
        self.last().as_ref().map(Sale::figures)
    }

    fn last(&self) -> MutexGuard<'_, Option<Sale>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sale {
    fn is_running(&self) -> bool {
        !self.run.is_empty()
    }

    fn figures(&self) -> Figures {
        Figures {
            plan: self.plan.clone(),
            is_running: self.is_running(),
            started_at: self.started_at,
            ends_at: self.ends_at,
            counts: self.counts.clone(),
        }
    }
}
