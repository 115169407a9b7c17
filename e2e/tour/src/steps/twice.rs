use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use uuid::Uuid;

use crate::ground::{address, wish};
use crate::{Ground, Screen};

const TIMES: usize = 5;

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    let (wish, key) = (wish(&address()), Uuid::now_v7().to_string());
    screen.act(&format!(
        "POST /api/orders, Idempotency-Key: {key}, {TIMES} times at once"
    ));
    ground.announce(&key, &wish);
    let place = || ground.gateway.post_once("/api/orders", &key, &wish);
    let answers = try_join_all((0..TIMES).map(|_| place())).await?;
    let mut ids = BTreeSet::new();
    for answer in &answers {
        ensure!(answer.status == 202, "{answer:?}");
        let id: Uuid = answer.body["id"].as_str().context("no id")?.parse()?;
        ids.insert(id);
        screen.fact(&format!("{}: {id}", answer.status));
    }
    ensure!(ids.len() == 1, "{} orders for one key", ids.len());
    ground.all_confirmed(&Vec::from_iter(ids.clone())).await?;
    let reserved = ground.newly_reserved().await?;
    ensure!(reserved == 1, "{reserved} pieces are reserved");

    screen.act("the same key with another order");
    let mut other = wish.clone();
    other["lines"][0]["quantity"] = 2.into();
    let refused = ground
        .gateway
        .post_once("/api/orders", &key, &other)
        .await?;
    ensure!(refused.status == 422, "{refused:?}");
    screen.fact(&format!("{}: {}", refused.status, refused.body["detail"]));
    Ok(format!(
        "{TIMES} requests with one key gave {} order and {reserved} reserved piece; another body was refused with {}.",
        ids.len(),
        refused.status
    ))
}
