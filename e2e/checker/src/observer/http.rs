use anyhow::{Result, ensure};
use harness::{Gateway, SOON, eventually};
use serde::Deserialize;
use uuid::Uuid;

use crate::{Level, Listed, Observed, Told};

/// Of so many orders the notifications are asked for, one by one as the API wants it.
const SAMPLE: usize = 200;

#[derive(Deserialize)]
struct Page {
    orders: Vec<Listed>,
    next: Option<Uuid>,
}

#[derive(Deserialize)]
struct Product {
    sku: String,
    #[serde(flatten)]
    level: Level,
}

#[derive(Deserialize)]
struct Notification {
    event: String,
    channel: String,
}

pub(super) async fn read(gateway: &Gateway, observed: &mut Observed) -> Result<()> {
    let mut path = "/api/orders?limit=100".to_owned();
    loop {
        let page: Page = get(gateway, &path).await?;
        observed.listed.extend(page.orders);
        let Some(next) = page.next else { break };
        path = format!("/api/orders?limit=100&after={next}");
    }
    let products: Vec<Product> = get(gateway, "/api/stock").await?;
    observed.shown = products
        .into_iter()
        .map(|one| (one.sku, one.level))
        .collect();

    let step = observed.orders.len().div_ceil(SAMPLE).max(1);
    for order in observed.orders.iter().step_by(step) {
        let path = format!("/api/notifications?order_id={}", order.id);
        let told: Vec<Notification> = get(gateway, &path).await?;
        let mut told: Vec<_> = told
            .into_iter()
            .map(|one| (one.event, one.channel))
            .collect();
        told.sort_unstable();
        observed.told.push(Told {
            order_id: order.id,
            told,
        });
    }
    Ok(())
}

async fn get<T: serde::de::DeserializeOwned>(gateway: &Gateway, path: &str) -> Result<T> {
    eventually(path, SOON, async || {
        let answer = gateway.get(path).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(Some(serde_json::from_value(answer.body)?))
    })
    .await
}
