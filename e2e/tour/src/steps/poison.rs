use anyhow::{Context, Result, ensure};
use contracts::topology::{COMMANDS, STOCK_COMMANDS, STOCK_RELEASE};
use contracts::{Message, ReleaseStock};
use harness::cloud_event;
use uuid::Uuid;

use crate::ground::{A_WHILE, address};
use crate::{Ground, Screen};

const NEIGHBOURS: usize = 10;
/// Who mends it.
const BY: &str = "tour";

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    let email = address();
    screen.act(&format!("POST /api/orders, {} times", NEIGHBOURS / 2));
    let mut orders = ground.burst(&email, NEIGHBOURS / 2).await?;

    let poison = cloud_event(ReleaseStock::TYPE);
    // Of an order that nobody has placed, and without its end.
    let broken = format!(r#"{{"order_id": "{}""#, Uuid::now_v7());
    screen.act(&format!("publish to {STOCK_COMMANDS}: {broken}"));
    ground.poisoned(&poison.id);
    ground
        .rabbitmq
        .publish(COMMANDS.name, STOCK_RELEASE, poison.properties(), &broken)
        .await?;

    screen.act(&format!("POST /api/orders, {} times", NEIGHBOURS / 2));
    orders.extend(ground.burst(&email, NEIGHBOURS / 2).await?);
    ground.all_confirmed(&orders).await?;
    screen.fact(&format!("{} neighbours: confirmed", orders.len()));

    let ids = std::slice::from_ref(&poison.id);
    let letters = ground.letters.with_ids(ids, A_WHILE).await?;
    let letter = letters.first().context("no dead letter")?;
    screen.act(&format!("./dev letters show {}", letter.id));
    let body = ground.letters.body(letter.id).await?;
    let body = String::from_utf8_lossy(&body);
    screen.fact(&format!("from: {}", letter.consumer));
    screen.fact(&format!("body: {body}"));
    screen.fact(&format!("why:  {}", letter.reason));
    ensure!(body == broken, "another body: {body}");

    let mended = format!("{broken}}}");
    screen.act(&format!("mend it: {mended}"));
    ground
        .letters
        .mend(letter, ReleaseStock::TYPE, &mended, BY)
        .await?;
    screen.act(&format!("./dev letters replay {}", letter.id));
    ground.letters.replay(&[letter.id], BY).await?;
    ground
        .letters
        .reaches(letter.id, "handled", A_WHILE)
        .await?;
    screen.fact("inventory has handled it");
    Ok(format!(
        "1 dead letter that says why, mended and handled, and {} of {NEIGHBOURS} neighbours confirmed.",
        orders.len()
    ))
}
