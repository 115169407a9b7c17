//! Customers who insist, and what they must have got in the end.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::{join_all, try_join_all};
use harness::{Order, Stack, StockLevel, eventually, wish};
use serde_json::Value;
use uuid::Uuid;

/// A product that nobody else counts.
const SKU: &str = "MAP-RIVERS";
/// How long a customer insists.
const PATIENCE: Duration = Duration::from_secs(90);

/// Orders of one piece each: a third is paid, a third cancelled, a third left as it is.
pub(crate) struct Customers {
    stock: StockLevel,
    placed: Vec<Placed>,
}

/// One of their orders.
pub(crate) struct Placed {
    id: Uuid,
    email: String,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Paid,
    Cancelled,
    Waiting,
}

impl Customers {
    /// All of them order at once; whoever gets no answer asks again with the same key.
    pub(crate) async fn order(stack: &Stack, customers: usize) -> Result<Self> {
        let stock = eventually("the stock", PATIENCE, async || {
            stack.gateway.stock(SKU).await.map(Some)
        })
        .await?;
        let mut all = Self {
            stock,
            placed: Vec::new(),
        };
        all.more(stack, customers).await?;
        Ok(all)
    }

    /// Further ones.
    pub(crate) async fn more(&mut self, stack: &Stack, customers: usize) -> Result<()> {
        self.add(Self::place(stack, customers).await?);
        Ok(())
    }

    /// The orders of customers who are still to be [added](Self::add).
    pub(crate) async fn place(stack: &Stack, customers: usize) -> Result<Vec<Placed>> {
        let ends = [End::Paid, End::Cancelled, End::Waiting]
            .into_iter()
            .cycle();
        try_join_all(ends.take(customers).map(|end| place(stack, end))).await
    }

    pub(crate) fn add(&mut self, placed: Vec<Placed>) {
        self.placed.extend(placed);
    }

    /// Everybody gets what they wanted, is told so once over each channel, and the stock shows it.
    pub(crate) async fn are_served(&self, stack: &Stack, limit: Duration) -> Result<()> {
        let served = self.placed.iter().map(|one| one.is_served(stack, limit));
        for served in join_all(served).await {
            served?;
        }
        let count = |end| self.placed.iter().filter(|one| one.end == end).count();
        let (sold, reserved) = (count(End::Paid), count(End::Waiting));
        let (sold, reserved) = (i64::try_from(sold)?, i64::try_from(reserved)?);
        let mut expected = self.stock;
        expected.available -= sold + reserved;
        expected.sold += sold;
        expected.reserved += reserved;
        stack.gateway.stock_becomes(SKU, expected).await
    }
}

async fn place(stack: &Stack, end: End) -> Result<Placed> {
    let (wish, key) = (wish(SKU, 1), Uuid::now_v7().to_string());
    let email = wish["customer"]["email"].as_str().context("no address")?;
    let order = eventually("the order is accepted", PATIENCE, async || {
        let answer = stack.gateway.post_once("/api/orders", &key, &wish).await?;
        ensure!(answer.status == 202, "{answer:?}");
        Ok(Some(serde_json::from_value::<Order>(answer.body)?))
    })
    .await?;
    Ok(Placed {
        id: order.id,
        email: email.to_owned(),
        end,
    })
}

impl Placed {
    async fn is_served(&self, stack: &Stack, limit: Duration) -> Result<()> {
        eventually("the order is decided upon", limit, async || {
            let order = stack.gateway.order(self.id).await?;
            Ok((order.status != "pending").then_some(()))
        })
        .await?;
        let (request, status, event) = match self.end {
            End::Paid => ("payment", "paid", Some("order-paid")),
            End::Cancelled => ("cancellation", "cancelled", Some("order-cancelled")),
            End::Waiting => ("", "confirmed", None),
        };
        if event.is_some() {
            let path = format!("/api/orders/{}/{request}", self.id);
            eventually(&path, limit, async || {
                let answer = stack.gateway.post(&path, &Value::Null).await?;
                ensure!(answer.status == 200, "{answer:?}");
                Ok(Some(()))
            })
            .await?;
        }
        let order = stack.gateway.reaches(self.id, status, limit).await?;
        let steps = order.history.iter().map(|change| change.status.as_str());
        let expected = ["pending", "confirmed"].into_iter();
        let expected = expected.chain(event.map(|_| status));
        ensure!(steps.eq(expected), "{order:?}");

        let outcomes = ["order-confirmed"].into_iter().chain(event);
        let mut told = vec![("order-placed", "push")];
        told.extend(outcomes.flat_map(|event| [(event, "push"), (event, "email")]));
        let emails = told.iter().filter(|(_, by)| *by == "email").count();
        eventually("everybody is told", limit, async || {
            stack.gateway.told(self.id, &told).await.map(Some)
        })
        .await?;
        self.has_emails(stack, emails).await
    }

    /// A copy of an e-mail has its `Message-ID`: see the limits in docs/reliability.md.
    async fn has_emails(&self, stack: &Stack, count: usize) -> Result<()> {
        let sent = stack.mailbox.sent_to(&self.email).await?;
        let ids: BTreeSet<_> = sent.iter().map(|sent| &sent.headers.message_id).collect();
        ensure!(ids.len() == count, "expected {count} e-mails: {sent:?}");
        Ok(())
    }
}
