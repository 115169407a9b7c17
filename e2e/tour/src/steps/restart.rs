use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::interval;

use crate::ground::address;
use crate::{Ground, Screen};

const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    screen.act("docker compose restart rabbitmq");
    let start = Instant::now();
    let is_back = AtomicBool::new(false);
    let restart = async {
        ground.compose.run(&["restart", "rabbitmq"]).await?;
        let took = start.elapsed();
        is_back.store(true, Ordering::Relaxed);
        anyhow::Ok(took)
    };
    let flow = async {
        let (email, mut orders) = (address(), Vec::new());
        let mut arrivals = interval(PAUSE);
        while !is_back.load(Ordering::Relaxed) {
            arrivals.tick().await;
            orders.extend(ground.burst(&email, 1).await?);
        }
        anyhow::Ok(orders)
    };
    let (took, orders) = tokio::try_join!(restart, flow)?;
    screen.fact(&format!("restarted within {took:.1?}"));
    screen.fact(&format!(
        "{} orders accepted meanwhile, none refused",
        orders.len()
    ));

    screen.act("wait until they are confirmed");
    ground.all_confirmed(&orders).await?;
    let healed = start.elapsed().saturating_sub(took);
    let reserved = ground.newly_reserved().await?;
    ensure!(
        usize::try_from(reserved)? == orders.len(),
        "{reserved} pieces are reserved for {} orders",
        orders.len()
    );
    Ok(format!(
        "{} orders accepted while RabbitMQ restarted, all confirmed {healed:.1?} after that; {reserved} pieces reserved.",
        orders.len()
    ))
}
