use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use harness::eventually;
use tokio::sync::Notify;
use tokio::time::interval;
use uuid::Uuid;

use crate::ground::{A_WHILE, address};
use crate::{Ground, Screen};

/// Orders each time, and how often.
const AT_ONCE: usize = 5;
const PAUSE: Duration = Duration::from_millis(25);
/// So many are there before the kill, and so many come after it.
const AROUND: usize = 50;

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    let email = address();
    let (begun, is_dead) = (Notify::new(), AtomicBool::new(false));
    screen.act("POST /api/orders, 200 a second");
    let kill = async {
        begun.notified().await;
        screen.act("docker compose kill -s KILL inventory");
        let kill = ["kill", "--signal", "KILL", "inventory"];
        ground.compose.run(&kill).await?;
        is_dead.store(true, Ordering::Relaxed);
        anyhow::Ok(())
    };
    let (orders, ()) = tokio::try_join!(flow(ground, &email, &begun, &is_dead), kill)?;
    let waiting = ground.broker.depth(STOCK_COMMANDS).await?;
    screen.fact(&format!(
        "{} orders accepted, inventory is dead",
        orders.len()
    ));
    screen.bar(STOCK_COMMANDS, waiting, u32::try_from(orders.len())?);

    screen.act("docker compose start inventory");
    ground.start("inventory").await?;
    ground.all_confirmed(&orders).await?;
    let reserved = ground.newly_reserved().await?;
    ensure!(
        usize::try_from(reserved)? == orders.len(),
        "{reserved} pieces are reserved for {} orders",
        orders.len()
    );
    let emails = emails(ground, &email, orders.len()).await?;
    ensure!(
        emails == orders.len(),
        "{emails} e-mails for {} orders",
        orders.len()
    );
    Ok(format!(
        "{} orders, {reserved} reservations, {emails} e-mails: nothing lost, nothing twice.",
        orders.len()
    ))
}

/// Waits until at least so many e-mails were delivered, perhaps behind many others, and counts them.
async fn emails(ground: &Ground, address: &str, count: usize) -> Result<usize> {
    eventually("the e-mails", A_WHILE, async || {
        let delivered = ground.mailbox.sent_to(address).await?.len();
        Ok((delivered >= count).then_some(delivered))
    })
    .await
}

/// Places orders before, while and after inventory is killed.
async fn flow(
    ground: &Ground,
    email: &str,
    begun: &Notify,
    is_dead: &AtomicBool,
) -> Result<Vec<Uuid>> {
    let (mut orders, mut enough) = (Vec::new(), None);
    let mut arrivals = interval(PAUSE);
    while enough.is_none_or(|enough| orders.len() < enough) {
        arrivals.tick().await;
        orders.extend(ground.burst(email, AT_ONCE).await?);
        if orders.len() >= AROUND {
            begun.notify_one();
        }
        if is_dead.load(Ordering::Relaxed) {
            enough.get_or_insert(orders.len() + AROUND);
        }
    }
    Ok(orders)
}
