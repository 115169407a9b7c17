use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

use super::schedule::{Lane, Planned, Schedule};
use super::{Arena, Ledger, Load, Report, Wound};
use crate::checker::{Observer, Pending, check};
use crate::{Gateway, RabbitMq, eventually};

/// What to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many orders, over all seeds.
    pub orders: usize,
    /// How many faults, over all seeds.
    pub faults: usize,
    /// One round for each.
    pub seeds: Vec<u64>,
}

/// How long the system may take to come to rest after a round: a backlog of notifications, and the
/// payment deadlines.
const REST: Duration = Duration::from_secs(600);
/// What has not moved for so long will not move any more: longer than the payment deadline and the
/// longest pause between two attempts.
const QUIET: Duration = Duration::from_secs(60);

/// Attacks the system under load, one round for each seed, and judges it after each.
///
/// # Errors
///
/// When the harness itself fails; then nothing is known about the promises. Everything is healed in
/// any case.
pub async fn run(
    options: &Options,
    arena: &Arena,
    gateway: Gateway,
    rabbitmq: RabbitMq,
) -> Result<Report> {
    let start = Instant::now();
    let ledger = Arc::new(Ledger::default());
    let observer = Observer::new(gateway.clone(), rabbitmq, arena.compose.clone())?;
    let mut report = Report::new(options.seeds.clone());
    let rounds = options.seeds.len().max(1);
    for (round, &seed) in options.seeds.iter().enumerate() {
        let share = |all: usize| all * (round + 1) / rounds - all * round / rounds;
        let schedule = Schedule::new(seed, share(options.faults));
        let load = Load::new(gateway.clone(), Arc::clone(&ledger));
        eprintln!(
            "seed {seed}: {} orders and {} faults in about {} s",
            share(options.orders),
            share(options.faults),
            schedule.length().as_secs()
        );
        let attack = async {
            let attacked = attack(arena, &schedule, start).await;
            load.all_is_healed();
            attacked
        };
        let (_, attacked) = tokio::join!(
            load.run(seed, share(options.orders), schedule.length()),
            attack
        );
        let (wounds, healed) = attacked?;
        report.wounds.extend(wounds);
        rest(&observer, healed, &mut report).await?;

        let observed = observer.look(ledger.answered(), arena.poison()).await?;
        report.orders = ledger.orders();
        let accepted = |attempt: &&crate::checker::Attempt| !attempt.accepted.is_empty();
        report.accepted = observed.answered.attempts.iter().filter(accepted).count();
        report.judge(check(&observed));
        report.faults = report.wounds.len();
        if !report.violations.is_empty() {
            break;
        }
    }
    report.took_s = start.elapsed().as_secs_f64();
    Ok(report)
}

/// Lets everything happen that is planned, both lanes at once, and heals whatever may be left. Says as
/// well when the last fault was healed.
async fn attack(
    arena: &Arena,
    schedule: &Schedule,
    start: Instant,
) -> Result<(Vec<Wound>, Instant)> {
    let lanes = tokio::try_join!(
        lane(arena, Lane::Services, &schedule.services, start),
        lane(arena, Lane::Infrastructure, &schedule.infrastructure, start)
    );
    let healed = Instant::now();
    let restored = arena.restore().await;
    let (mut wounds, infrastructure) = lanes?;
    restored.context("not everything could be healed")?;
    wounds.extend(infrastructure);
    wounds.sort_unstable_by(|one, other| one.at_s.total_cmp(&other.at_s));
    Ok((wounds, healed))
}

async fn lane(
    arena: &Arena,
    lane: Lane,
    planned: &[Planned],
    start: Instant,
) -> Result<Vec<Wound>> {
    let mut wounds = Vec::new();
    for Planned { pause, fault, hold } in planned {
        sleep(*pause).await;
        let began = Instant::now();
        eprintln!("{:>6.1} s  {fault}", (began - start).as_secs_f64());
        let wound = arena
            .inject(fault)
            .await
            .with_context(|| fault.to_string())?;
        sleep(*hold).await;
        arena
            .heal(wound)
            .await
            .with_context(|| format!("healing: {fault}"))?;
        wounds.push(Wound {
            at_s: (began - start).as_secs_f64(),
            lane,
            fault: fault.to_string(),
            held_s: began.elapsed().as_secs_f64(),
        });
    }
    Ok(wounds)
}

/// Waits until nothing is on its way any more. What is stuck is judged as it is.
async fn rest(observer: &Observer, healed: Instant, report: &mut Report) -> Result<()> {
    let mut drained = None;
    let mut delivered = None;
    let mut last = (Pending::default(), Instant::now());
    let rest = eventually("the system comes to rest", REST, async || {
        let pending = observer.pending().await?;
        if pending != last.0 {
            last = (pending, Instant::now());
        }
        if pending.is_drained() {
            drained.get_or_insert_with(|| healed.elapsed());
        }
        if pending.is_delivered() {
            delivered.get_or_insert_with(|| healed.elapsed());
        }
        let at_rest = pending.is_delivered() && pending.unpaid == 0;
        let is_stuck = last.1.elapsed() > QUIET;
        sleep(Duration::from_millis(200)).await;
        Ok((is_stuck || at_rest && observer.queues_are_empty().await?).then_some(is_stuck))
    });
    if rest.await? {
        eprintln!("nothing moves any more, and this is left: {:?}", last.0);
    }
    let seconds = |time: Option<Duration>| time.unwrap_or_else(|| healed.elapsed()).as_secs_f64();
    report.drain_s = report.drain_s.max(seconds(drained));
    report.delivered_s = report.delivered_s.max(seconds(delivered));
    Ok(())
}
