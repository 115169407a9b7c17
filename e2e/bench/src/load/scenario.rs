use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use harness::{Mailbox, http_client, setting};
use serde_json::{Value, json};

use super::client::Client;
use super::pace::{Arrivals, Pace};
use super::progress::Progress;
use super::readers::Readers;
use super::tracker::{Counts, Tracker};
use super::watch::follow_order_events;

/// What is measured. Which services run is up to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Orders accepted per second; run it with `inventory` and `notification` stopped.
    Accepted,
    /// Orders confirmed per second; run it with `notification` stopped.
    Confirmed,
    /// E-mails per second at the mail catcher, which must keep as many as are sent.
    Delivered,
    /// Time from placed to confirmed, at a rate that leaves room.
    Latency,
}

/// How a scenario is run, where its defaults do not fit.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// For how long to measure, after warming up.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: Option<u64>,
    /// For how long to run before that.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub warm_up: u64,
    /// Place so many orders each second, by the clock, instead of holding the backlog.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Hold so many orders on their way instead of placing them by the clock.
    #[arg(long, conflicts_with = "rate")]
    pub backlog: Option<u64>,
    /// Connections to the gateway.
    #[arg(long, default_value_t = 256)]
    pub connections: usize,
    /// So many clients that read the longest page of orders meanwhile, again and again.
    #[arg(long, default_value_t = 0)]
    pub readers: usize,
}

impl Scenario {
    /// Runs it and returns its figures by name.
    ///
    /// # Errors
    ///
    /// When the system cannot be reached, or so many orders fail that nothing is measured.
    pub async fn run(self, options: &Options) -> Result<Value> {
        let tracker = Arc::new(Tracker::new()?);
        let watches_events = matches!(self, Self::Confirmed | Self::Latency);
        if watches_events {
            follow_order_events(&tracker, self == Self::Latency)?;
        }
        let mailbox = if self == Self::Delivered {
            let mailbox = Mailbox::new(http_client(Duration::from_secs(30))?)?;
            mailbox.clear().await.context("the mail catcher")?;
            Some(mailbox)
        } else {
            None
        };
        let client = Client::new(&setting("GATEWAY_URL")?, options.connections)?;
        let arrivals = Arrivals::new(client, Arc::clone(&tracker));
        let readers = Readers::start(&setting("GATEWAY_URL")?, options.readers)?;

        let warm_up = Duration::from_secs(options.warm_up);
        let measured = Duration::from_secs(options.seconds.unwrap_or(self.seconds()));
        let mut progress = Progress::new(self.name(), warm_up + measured);
        let mut begin = None;
        let watch = async |elapsed: Duration, counts: Counts| -> Result<()> {
            if let Some(mailbox) = &mailbox {
                tracker.delivered(mailbox.count().await?);
            }
            if elapsed >= warm_up && begin.is_none() {
                tracker.take_times();
                begin = Some((Instant::now(), tracker.counts()));
            }
            progress.show(elapsed, counts);
            Ok(())
        };
        let on_its_way = |counts: Counts| self.on_its_way(counts);
        arrivals
            .run(self.pace(options), warm_up + measured, on_its_way, watch)
            .await?;

        if let Some(mailbox) = &mailbox {
            tracker.delivered(mailbox.count().await?);
        }
        let (begin, before) = begin.context("too short to measure anything")?;
        let (seconds, after) = (begin.elapsed().as_secs_f64(), tracker.counts());
        drop(progress);
        let times = tracker.take_times();
        eprintln!(
            "{:>10} in {seconds:.0} s: {} accepted, {} confirmed, {} e-mails, {} failed; on their way {} before, {} after",
            self.name(),
            after.accepted - before.accepted,
            after.confirmed - before.confirmed,
            after.delivered - before.delivered,
            after.failed - before.failed,
            self.on_its_way(before),
            self.on_its_way(after),
        );
        let rate = |count: u64| rounded(count as f64 / seconds);
        let mut figures = match self {
            Self::Accepted => json!({"accepted_per_s": rate(after.accepted - before.accepted)}),
            Self::Confirmed => json!({"confirmed_per_s": rate(after.confirmed - before.confirmed)}),
            Self::Delivered => json!({"delivered_per_s": rate(after.delivered - before.delivered)}),
            Self::Latency => {
                ensure!(!times.is_empty(), "no order was confirmed");
                let ms = |quantile| rounded(times.value_at_quantile(quantile) as f64 / 1_000.0);
                eprintln!("{:>10} p99.9 {} ms, max {} ms", "", ms(0.999), ms(1.0));
                json!({"p50_ms": ms(0.5), "p99_ms": ms(0.99)})
            }
        };
        if options.readers > 0 {
            eprintln!(
                "{:>10} {} pages read, {} refused",
                "",
                readers.listed(),
                readers.refused()
            );
            figures["pages_read"] = readers.listed().into();
            figures["pages_refused"] = readers.refused().into();
        }
        // For who divides what the whole run has cost.
        figures["orders"] = self.orders(after).into();
        figures["load_cpu_ms"] = cpu_ms()?.into();
        Ok(figures)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Confirmed => "confirmed",
            Self::Delivered => "delivered",
            Self::Latency => "latency",
        }
    }

    fn seconds(self) -> u64 {
        match self {
            Self::Confirmed | Self::Latency => 60,
            Self::Accepted | Self::Delivered => 30,
        }
    }

    fn pace(self, options: &Options) -> Pace {
        let default = match self {
            Self::Accepted => Pace::Backlog(256),
            Self::Confirmed => Pace::Backlog(2_000),
            Self::Delivered => Pace::Backlog(300),
            Self::Latency => Pace::Rate(50.0),
        };
        let wanted = options
            .rate
            .map(Pace::Rate)
            .or(options.backlog.map(Pace::Backlog));
        wanted.unwrap_or(default)
    }

    /// How many orders got as far as this scenario looks. An order has more than one e-mail.
    fn orders(self, counts: Counts) -> u64 {
        match self {
            Self::Accepted | Self::Delivered => counts.accepted,
            Self::Confirmed | Self::Latency => counts.confirmed,
        }
    }

    /// How many orders have not yet got as far as this scenario looks.
    fn on_its_way(self, counts: Counts) -> u64 {
        let finished = match self {
            Self::Accepted => counts.accepted,
            Self::Confirmed | Self::Latency => counts.confirmed,
            Self::Delivered => counts.delivered,
        };
        counts.placed.saturating_sub(counts.failed + finished)
    }
}

/// To one digit after the point.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The CPU time that this process has used so far, with all of its threads. The kernel counts it in
/// hundredths of a second, behind the name of the program and eleven other figures.
fn cpu_ms() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, figures) = stat.rsplit_once(')').context("/proc/self/stat")?;
    let used = figures.split_whitespace().skip(11).take(2);
    let used: u64 = used.map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(used * 10)
}
