use std::collections::BTreeSet;

use anyhow::Result;
use contracts::topology::NOTIFICATIONS;
use reqwest::Method;
use serde::Deserialize;

use crate::ground::{address, wish};
use crate::{Ground, Screen};

#[derive(Deserialize)]
struct Binding {
    destination: String,
    routing_key: String,
}

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    let exchange = NOTIFICATIONS.name;
    screen.act(&format!("the bindings of the exchange {exchange}"));
    let path = format!(
        "exchanges/{}/{exchange}/bindings/source",
        ground.rabbitmq.vhost()
    );
    let bindings: Vec<Binding> = ground.rabbitmq.call(Method::GET, &path, None).await?;
    for binding in &bindings {
        screen.fact(&format!(
            "{:<10} -> {}",
            binding.routing_key, binding.destination
        ));
    }
    let vip = told(ground, screen, "vip").await?;
    let standard = told(ground, screen, "standard").await?;
    let only: Vec<_> = vip.difference(&standard).map(String::as_str).collect();
    Ok(format!(
        "The confirmation left over {} channels for the VIP and {} for the other; only the VIP got: {}.",
        vip.len(),
        standard.len(),
        only.join(", ")
    ))
}

/// Places an order and returns the channels over which its confirmation went.
async fn told(ground: &Ground, screen: &Screen, tier: &str) -> Result<BTreeSet<String>> {
    let mut wish = wish(&address());
    wish["customer"]["tier"] = tier.into();
    wish["customer"]["phone"] = "+4930123456".into();
    screen.act(&format!(
        "POST /api/orders, tier {tier}, with a telephone number"
    ));
    let order = ground.place(&wish).await?;
    ground.all_confirmed(&[order.id]).await?;

    let mut expected = vec![
        ("order-placed", "push"),
        ("order-confirmed", "email"),
        ("order-confirmed", "push"),
    ];
    if tier == "vip" {
        expected.push(("order-confirmed", "sms"));
    }
    let told = ground.gateway.told(order.id, &expected).await?;
    for one in &told {
        screen.fact(&format!("{}.{}.{tier}", one.channel, one.event));
    }
    let confirmation = told
        .into_iter()
        .filter(|one| one.event == "order-confirmed");
    Ok(confirmation.map(|one| one.channel).collect())
}
