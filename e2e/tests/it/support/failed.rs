//! Many commands that fail in `inventory` until somebody mends it.

use std::time::Duration;

use anyhow::{Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use futures::{StreamExt, TryStreamExt, stream};
use harness::{Stack, StockLevel, eventually, wish};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::job::Job;
use crate::ANYTHING;

pub(crate) const BY: &str = "Ada";
/// The product whose stock is counted here.
const SKU: &str = "DRYBAG-20";
const CONTROL: &str = "/api/console/controls/inventory";
/// So many requests wait for their answer at once.
const TOGETHER: usize = 50;
const LIMIT: Duration = Duration::from_secs(90);

/// Orders whose commands have failed.
pub(crate) struct Failed {
    orders: Vec<Uuid>,
    since: Timestamp,
    stock: StockLevel,
}

impl Failed {
    /// Makes commands fail for good, until they are mended.
    pub(crate) async fn commands(stack: &Stack, count: usize) -> Result<Self> {
        let fail = json!({"fail_percent": 100, "fail_kind": "permanent", "seconds": 300, "by": BY});
        asked(stack, &fail).await?;
        let mut failed = Self::first(stack).await?;
        failed.place(stack, count - 1).await?;
        Ok(failed)
    }

    /// The first one that fails. A service hears of what is asked within a second, and those before are confirmed.
    async fn first(stack: &Stack) -> Result<Self> {
        loop {
            let mut failed = Self {
                since: Timestamp::now(),
                stock: stack.gateway.stock(SKU).await?,
                orders: Vec::new(),
            };
            let order = stack.gateway.place(&wish(SKU, 1)).await?.id;
            let has_failed = eventually("the first command is done with", LIMIT, async || {
                let is_confirmed = stack.gateway.order(order).await?.status == "confirmed";
                let has_failed = failed.open(stack).await? == 1;
                Ok((is_confirmed || has_failed).then_some(has_failed))
            });
            if has_failed.await? {
                failed.orders.push(order);
                return Ok(failed);
            }
        }
    }

    async fn place(&mut self, stack: &Stack, count: usize) -> Result<()> {
        let orders = stream::iter(0..count)
            .map(|_| async { anyhow::Ok(stack.gateway.place(&wish(SKU, 1)).await?.id) })
            .buffer_unordered(TOGETHER)
            .try_collect::<Vec<_>>();
        self.orders.extend(orders.await?);
        let count = u64::try_from(self.orders.len())?;
        eventually("all commands have failed", LIMIT, async || {
            Ok((self.open(stack).await? == count).then_some(()))
        })
        .await
    }

    /// From now on commands are handled.
    pub(crate) async fn mend(&self, stack: &Stack) -> Result<()> {
        asked(stack, &json!({"seconds": 1, "by": BY})).await?;
        let canary = stack.gateway.place(&wish(ANYTHING, 1)).await?;
        stack.gateway.reaches(canary.id, "confirmed", LIMIT).await?;
        Ok(())
    }

    pub(crate) fn filter(&self, state: &str) -> String {
        let since = self.since;
        format!("state={state}&consumer={STOCK_COMMANDS}&since={since}")
    }

    pub(crate) async fn open(&self, stack: &Stack) -> Result<u64> {
        stack.letters.count(&self.filter("open")).await
    }

    /// Replays all that are open.
    pub(crate) async fn replay<'a>(&self, stack: &'a Stack, rate: u32) -> Result<Job<'a>> {
        let filter = json!({"consumer": STOCK_COMMANDS, "since": self.since});
        Job::start(stack, rate, filter, self.open(stack).await?).await
    }

    /// Every order is confirmed, once, and has what it wants, once.
    pub(crate) async fn have_their_effect_once(&self, stack: &Stack) -> Result<()> {
        let confirmed = stream::iter(&self.orders)
            .map(|id| stack.gateway.reaches(*id, "confirmed", LIMIT))
            .buffer_unordered(TOGETHER)
            .try_collect::<Vec<_>>();
        for order in confirmed.await? {
            let states = order.history.iter().map(|change| change.status.as_str());
            let states: Vec<_> = states.collect();
            ensure!(states == ["pending", "confirmed"], "{order:?}");
        }
        let pieces = i64::try_from(self.orders.len())?;
        let reserved = StockLevel {
            available: self.stock.available - pieces,
            reserved: self.stock.reserved + pieces,
            ..self.stock
        };
        stack.gateway.stock_becomes(SKU, reserved).await
    }
}

/// Asks something of `inventory`.
async fn asked(stack: &Stack, wanted: &Value) -> Result<()> {
    let answer = stack.gateway.call(Method::PUT, CONTROL, wanted).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}
