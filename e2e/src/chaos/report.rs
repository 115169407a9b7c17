use std::io::Write;

use anyhow::Result;
use serde::Serialize;

use super::Lane;
use crate::checker::{Class, Finding, Verdict};

/// So many findings are shown; the rest is in the file.
const SHOWN: usize = 40;

/// What a run of attacks has shown.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The seeds of the schedules, one after the other.
    pub seed: Vec<u64>,
    /// Orders that clients asked for.
    pub orders: usize,
    /// Orders of these that were answered with 202.
    pub accepted: usize,
    /// Faults that happened.
    pub faults: usize,
    /// Things that must be there and are not.
    pub lost: usize,
    /// Effects that happened twice.
    pub duplicated: usize,
    /// Things that nobody asked for.
    pub unexpected: usize,
    /// Orders that exist although their client never got an answer.
    pub recovered: usize,
    /// E-mails that left twice, with one `Message-ID`.
    pub repeated_emails: usize,
    /// The longest time from the last heal until every order was decided upon, in seconds.
    pub drain_s: f64,
    /// The same until every notification was delivered.
    pub delivered_s: f64,
    /// How long it all took, in seconds.
    pub took_s: f64,
    /// Every fault with its time.
    pub wounds: Vec<Wound>,
    /// Every broken promise.
    pub violations: Vec<Finding>,
}

/// A fault that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Wound {
    /// Seconds after the start.
    pub at_s: f64,
    /// The lane.
    pub lane: Lane,
    /// What happened.
    pub fault: String,
    /// How long it was there until it was healed, in seconds.
    pub held_s: f64,
}

impl Report {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(seed: Vec<u64>) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Takes over what the checker has found.
    pub fn judge(&mut self, verdict: Verdict) {
        self.lost = verdict.count(Class::Lost);
        self.duplicated = verdict.count(Class::Duplicated);
        self.unexpected = verdict.count(Class::Unexpected);
        self.recovered = verdict.recovered;
        self.repeated_emails = verdict.repeated_emails;
        self.violations = verdict.violations;
    }

    /// The table of faults and the verdict, for people.
    ///
    /// # Errors
    ///
    /// When nothing can be written.
    pub fn print(&self, mut out: impl Write) -> Result<()> {
        writeln!(out, "\n{:>8}  {:>7}  fault", "at", "held")?;
        for wound in &self.wounds {
            let Wound {
                at_s,
                held_s,
                fault,
                ..
            } = wound;
            writeln!(out, "{at_s:>6.1} s  {held_s:>5.1} s  {fault}")?;
        }
        let promise_broken = self.violations.len();
        writeln!(out)?;
        for (count, what) in [
            (self.orders, "orders asked for"),
            (self.accepted, "answered with 202"),
            (self.faults, "faults"),
            (self.lost, "lost"),
            (self.duplicated, "duplicated"),
            (self.unexpected, "unexpected"),
            (self.recovered, "recovered: there, although never answered"),
            (
                self.repeated_emails,
                "e-mails that left twice under one Message-ID",
            ),
            (promise_broken, "violations"),
        ] {
            writeln!(out, "{count:>8}  {what}")?;
        }
        writeln!(
            out,
            "{:>6.1} s  until every order was decided upon after the last heal",
            self.drain_s
        )?;
        writeln!(
            out,
            "{:>6.1} s  until every notification was delivered",
            self.delivered_s
        )?;
        for finding in self.violations.iter().take(SHOWN) {
            writeln!(out, "  {finding}")?;
        }
        let verdict = if self.violations.is_empty() {
            "Every promise was kept."
        } else {
            "PROMISES WERE BROKEN."
        };
        writeln!(
            out,
            "\n{verdict} Seed {:?}, {:.0} s.",
            self.seed, self.took_s
        )?;
        Ok(())
    }
}
