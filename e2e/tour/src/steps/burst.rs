use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use tokio::time::{MissedTickBehavior, interval};

use crate::ground::address;
use crate::{Ground, Screen};

const ORDERS: u16 = 500;

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    screen.act("docker compose stop inventory");
    ground.compose.stop(&["inventory"]).await?;

    screen.act(&format!("POST /api/orders, {ORDERS} times"));
    let start = Instant::now();
    let placed = async {
        let orders = ground.burst(&address(), usize::from(ORDERS)).await?;
        anyhow::Ok((orders, start.elapsed()))
    };
    let risen = until(ground, screen, |depth| depth >= u32::from(ORDERS));
    let ((orders, took), ()) = tokio::try_join!(placed, risen)?;
    let accepted = f64::from(ORDERS) / took.as_secs_f64();
    screen.fact(&format!("all accepted, {accepted:.0} a second"));

    screen.act("docker compose start inventory");
    let start = Instant::now();
    let started = async {
        ground.start("inventory").await?;
        anyhow::Ok(())
    };
    let fallen = async {
        until(ground, screen, |depth| depth == 0).await?;
        anyhow::Ok(start.elapsed())
    };
    let ((), took) = tokio::try_join!(started, fallen)?;
    ground.all_confirmed(&orders).await?;
    let reserved = ground.newly_reserved().await?;
    ensure!(
        reserved == i64::from(ORDERS),
        "{reserved} pieces are reserved for {ORDERS} orders"
    );
    Ok(format!(
        "{ORDERS} orders accepted at {accepted:.0} a second with nobody to work on them; the queue was empty \
         {took:.1?} after the start began; {reserved} pieces reserved, none too many."
    ))
}

/// Shows the depth of the queue until it is as wanted.
async fn until(ground: &Ground, screen: &Screen, is_done: impl Fn(u32) -> bool) -> Result<()> {
    let mut looks = interval(Duration::from_millis(200));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let deadline = Instant::now() + crate::ground::A_WHILE;
    let mut last = None;
    loop {
        looks.tick().await;
        let depth = ground.broker.depth(STOCK_COMMANDS).await?;
        if last != Some(depth) {
            screen.bar(STOCK_COMMANDS, depth, u32::from(ORDERS));
            last = Some(depth);
        }
        if is_done(depth) {
            screen.keep_bar();
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "{depth} commands wait in {STOCK_COMMANDS} and nothing happens"
        );
    }
}
