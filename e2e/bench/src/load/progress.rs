use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::tracker::Counts;

/// Shows on the error output how a run goes: as a bar on a terminal, else as a line every ten seconds.
pub(super) struct Progress {
    name: String,
    total: Duration,
    bar: Option<ProgressBar>,
    told: u64,
    last: Option<(Duration, Counts)>,
}

impl Progress {
    pub(super) fn new(name: &str, total: Duration) -> Self {
        let bar = stderr().is_terminal().then(|| bar(name, total));
        Self {
            name: name.to_owned(),
            total,
            bar,
            told: 0,
            last: None,
        }
    }

    pub(super) fn show(&mut self, elapsed: Duration, counts: Counts) {
        let tick = elapsed.as_secs() / if self.bar.is_some() { 1 } else { 10 };
        if let Some(bar) = &self.bar {
            bar.set_position(elapsed.as_secs().min(self.total.as_secs()));
        }
        if tick == self.told {
            return;
        }
        self.told = tick;
        let line = self.line(elapsed, counts);
        self.last = Some((elapsed, counts));
        match &self.bar {
            Some(bar) => bar.set_message(line),
            None => eprintln!("{:>10} {:>4} s  {line}", self.name, elapsed.as_secs()),
        }
    }

    fn line(&self, elapsed: Duration, counts: Counts) -> String {
        let (since, before) = self.last.unwrap_or((
            Duration::ZERO,
            Counts {
                placed: 0,
                accepted: 0,
                failed: 0,
                confirmed: 0,
                delivered: 0,
            },
        ));
        let seconds = (elapsed - since).as_secs().max(1);
        let rate = |now: u64, before: u64| now.saturating_sub(before) / seconds;
        format!(
            "accepted {}/s, confirmed {}/s, e-mails {}/s, failed {}",
            rate(counts.accepted, before.accepted),
            rate(counts.confirmed, before.confirmed),
            rate(counts.delivered, before.delivered),
            counts.failed
        )
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &str, total: Duration) -> ProgressBar {
    let bar = ProgressBar::new(total.as_secs());
    let style = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos:>3}/{len} s  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(name.to_owned());
    bar
}
