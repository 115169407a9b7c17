use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use checker::{Observed, Observer, check};
use futures::future::try_join_all;
use harness::{Gateway, Letters, Management, SOON, eventually};
use tokio::time::{Instant, sleep};

use super::mend::mend;
use super::pauses::confirmations;
use super::rest::rest;
use super::schedule::{Lane, Planned, Schedule};
use super::{Arena, Clients, FaultRecord, Ledger, Report};

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

/// Attacks the system under load, one round for each seed, and judges it after each.
///
/// # Errors
///
/// When the harness itself fails; then nothing is known about the promises, and something may still
/// be broken.
pub async fn run(
    options: &Options,
    arena: &Arena,
    gateway: Gateway,
    rabbitmq: Management,
) -> Result<Report> {
    let (start, began) = (Instant::now(), SystemTime::now());
    let say = |what| eprintln!("{:>6.1} s  {what}", start.elapsed().as_secs_f64());
    let ledger = Arc::new(Ledger::default());
    let observer = Observer::new(gateway.clone(), rabbitmq, arena.compose.clone())?;
    let declared_before = eventually("the topology can be seen", SOON, async || {
        observer.declared().await.map(Some)
    })
    .await?;
    let letters = Letters::new(gateway.clone());
    let mut mended = Vec::new();
    let mut report = Report::new(options.seeds.clone());
    let rounds = options.seeds.len().max(1);
    for (round, &seed) in options.seeds.iter().enumerate() {
        let share = |all: usize| all * (round + 1) / rounds - all * round / rounds;
        let schedule = arena.schedule(seed, share(options.faults));
        let clients = Clients::new(gateway.clone(), Arc::clone(&ledger));
        eprintln!(
            "seed {seed}: {} orders and {} faults in about {} s",
            share(options.orders),
            share(options.faults),
            schedule.length().as_secs()
        );
        let shopping = async {
            clients
                .run(seed, share(options.orders), schedule.length())
                .await;
            anyhow::Ok(())
        };
        let attacked = async {
            let records = attack(arena, &schedule, start).await?;
            let healed = Instant::now();
            clients.all_is_healed();
            say("everything is healed");
            let (rest, ()) = tokio::try_join!(rest(&observer, &clients, healed), restore(arena))?;
            Ok((records, rest))
        };
        let ((records, rest), ()) = tokio::try_join!(attacked, shopping)?;
        report.attacked(records, &schedule, &rest);

        say("at rest, mending and replaying poison");
        mended.extend(mend(&letters).await?);
        report.mended = mended.len();
        say("reading what became of it");
        let observed = observer
            .look(Observed {
                answered: ledger.answered(),
                poison: arena.poison(),
                mended: mended.clone(),
                interruptions: report.interruptions,
                cut_offs: report.cut_offs,
                declared_before: declared_before.clone(),
                deadlines_have_passed: true,
                ..Observed::default()
            })
            .await?;
        report.judge(&observed, check(&observed));
        report.measure_pauses(&confirmations(&observed, began));
        if !report.violations.is_empty() {
            break;
        }
    }
    report.took_s = start.elapsed().as_secs_f64();
    Ok(report)
}

impl Arena {
    /// Of faults that this system can have.
    fn schedule(&self, seed: u64, faults: usize) -> Schedule {
        if self.is_cluster {
            Schedule::for_cluster(seed, faults)
        } else {
            Schedule::new(seed, faults)
        }
    }
}

/// Lets everything happen that is planned, all lanes at once, each fault until it is healed.
async fn attack(arena: &Arena, schedule: &Schedule, start: Instant) -> Result<Vec<FaultRecord>> {
    let lanes = (schedule.lanes.iter()).map(|(name, planned)| lane(arena, *name, planned, start));
    let mut records = try_join_all(lanes).await?.concat();
    records.sort_unstable_by(|one, other| one.at_s.total_cmp(&other.at_s));
    Ok(records)
}

async fn lane(
    arena: &Arena,
    lane: Lane,
    planned: &[Planned],
    start: Instant,
) -> Result<Vec<FaultRecord>> {
    let mut records = Vec::new();
    for Planned {
        pause, fault, hold, ..
    } in planned
    {
        sleep(*pause).await;
        let began = Instant::now();
        eprintln!("{:>6.1} s  {fault}", (began - start).as_secs_f64());
        let mut injected = arena
            .inject(fault)
            .await
            .with_context(|| fault.to_string())?;
        arena.last(&mut injected, *hold).await;
        let remark = arena
            .heal(injected)
            .await
            .with_context(|| format!("healing: {fault}"))?;
        records.push(FaultRecord {
            at_s: (began - start).as_secs_f64(),
            lane,
            fault: match remark {
                Some(remark) => format!("{fault} ({remark})"),
                None => fault.to_string(),
            },
            held_s: began.elapsed().as_secs_f64(),
            broker: fault.broker().filter(|_| arena.is_cluster),
            holds_up_orders: fault.holds_up_orders(),
            pause_s: None,
        });
    }
    Ok(records)
}

/// Every fault is healed by itself. This is for what nobody has thought of.
async fn restore(arena: &Arena) -> Result<()> {
    let restored = arena.restore().await;
    restored.context("not everything could be healed")
}
