use std::io::Write;

use anyhow::Result;
use checker::{Class, Finding, Observed, Outcomes, Verdict};
use serde::Serialize;

use super::rest::Rest;
use super::{Broker, Confirmed, Lane, Schedule, Window, longest_pause};

/// So many findings are shown; the rest is in the file.
const SHOWN: usize = 40;
/// In so many orders every outcome is to be expected.
const MANY: usize = 200;

/// What a run of attacks has shown.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The seeds of the schedules, one after the other.
    pub seed: Vec<u64>,
    /// Orders that clients asked for.
    pub orders: usize,
    /// Orders of these that were answered with 202.
    pub accepted: usize,
    /// To which ends they have come.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Faults that happened.
    pub faults: usize,
    /// Faults of these that can make an e-mail leave twice.
    pub interruptions: usize,
    /// Faults of these that can cut off a sender from the mail server.
    pub cut_offs: usize,
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
    /// E-mails of which nobody can tell whether they were delivered, because the mail server was lost.
    pub emails_in_doubt: usize,
    /// E-mails that were taken over from an instance that had died with them: no more may leave twice.
    pub takeovers: Option<usize>,
    /// Records that are in a topic twice, with one id; some were put there on purpose.
    pub repeated_records: usize,
    /// Poison that was mended and replayed once everything was healed.
    pub mended: usize,
    /// Times that a message became a dead letter of one consumer once more, under one id.
    pub repeated_dead_letters: usize,
    /// The longest time from the last heal until every order was decided upon, in seconds.
    pub drain_s: f64,
    /// The same until every notification was delivered.
    pub delivered_s: f64,
    /// The longest time in which no order was confirmed while one node of a broker was away, in seconds. None where there
    /// is no cluster, or when no order waited meanwhile.
    pub longest_pause_s: Option<f64>,
    /// How long it all took, in seconds.
    pub took_s: f64,
    /// Every fault with its time.
    pub fault_records: Vec<FaultRecord>,
    /// Every broken promise.
    pub violations: Vec<Finding>,
}

/// A fault that happened.
#[derive(Debug, Clone, Serialize)]
pub struct FaultRecord {
    /// Seconds after the start.
    pub at_s: f64,
    /// The lane.
    pub lane: Lane,
    /// What happened.
    pub fault: String,
    /// How long it was there until it was healed, in seconds.
    pub held_s: f64,
    /// The broker of a cluster that missed a node meanwhile.
    pub broker: Option<Broker>,
    /// Whether orders may have had to wait meanwhile, however many nodes the brokers have.
    pub holds_up_orders: bool,
    /// The longest time in which no order was confirmed meanwhile, in seconds. Only where a node was away.
    pub pause_s: Option<f64>,
}

impl FaultRecord {
    fn window(&self) -> Window {
        (self.at_s, self.at_s + self.held_s)
    }
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

    /// Takes over what happened in a round.
    pub(super) fn attacked(&mut self, records: Vec<FaultRecord>, schedule: &Schedule, rest: &Rest) {
        self.fault_records.extend(records);
        self.faults = self.fault_records.len();
        self.interruptions += schedule.interruptions();
        self.cut_offs += schedule.cut_offs();
        self.drain_s = self.drain_s.max(rest.drained.as_secs_f64());
        self.delivered_s = self.delivered_s.max(rest.delivered.as_secs_f64());
    }

    /// Takes over what clients were answered and what the checker has found, over all rounds so far.
    pub(super) fn judge(&mut self, observed: &Observed, verdict: Verdict) {
        let attempts = &observed.answered.attempts;
        self.takeovers = observed.takeovers;
        self.orders = attempts.len();
        self.accepted = (attempts.iter())
            .filter(|attempt| !attempt.accepted.is_empty())
            .count();
        self.outcomes = verdict.outcomes;
        self.lost = verdict.count(Class::Lost);
        self.duplicated = verdict.count(Class::Duplicated);
        self.unexpected = verdict.count(Class::Unexpected);
        self.recovered = verdict.recovered;
        self.repeated_emails = verdict.repeated_emails;
        self.emails_in_doubt = verdict.emails_in_doubt;
        self.repeated_records = verdict.repeated_records;
        self.repeated_dead_letters = verdict.repeated_dead_letters;
        self.violations = verdict.violations;
    }

    /// How long nothing was confirmed while a broker missed a node, by all orders that were confirmed so far.
    pub(super) fn measure_pauses(&mut self, confirmed: &[Confirmed]) {
        let records = self.fault_records.iter();
        let held_up = records.filter(|record| record.holds_up_orders);
        let held_up: Vec<_> = held_up.map(FaultRecord::window).collect();
        for record in &mut self.fault_records {
            if record.broker.is_some() {
                record.pause_s = longest_pause(confirmed, record.window(), &held_up);
            }
        }
        let pauses = self.fault_records.iter().filter_map(|one| one.pause_s);
        self.longest_pause_s = pauses.max_by(f64::total_cmp);
    }

    /// The table of faults and the verdict, for people.
    ///
    /// # Errors
    ///
    /// When nothing can be written.
    pub fn print(&self, mut out: impl Write) -> Result<()> {
        writeln!(out, "\n{:>8}  {:>7}  fault", "at", "held")?;
        for record in &self.fault_records {
            let FaultRecord {
                at_s,
                held_s,
                fault,
                pause_s,
                ..
            } = record;
            write!(out, "{at_s:>6.1} s  {held_s:>5.1} s  {fault}")?;
            match pause_s {
                Some(pause) => writeln!(out, ": no order confirmed for {pause:.1} s")?,
                None => writeln!(out)?,
            }
        }
        let outcomes = [
            (self.outcomes.paid, "paid"),
            (self.outcomes.cancelled, "cancelled by their client"),
            (self.outcomes.rejected, "rejected"),
            (self.outcomes.expired, "expired without a payment"),
        ];
        writeln!(out)?;
        let asked = [
            (self.orders, "orders asked for"),
            (self.accepted, "answered with 202"),
        ];
        let found = [
            (self.faults, "faults"),
            (self.lost, "lost"),
            (self.duplicated, "duplicated"),
            (self.unexpected, "unexpected"),
            (self.recovered, "recovered: there, although never answered"),
            (
                self.repeated_emails,
                "e-mails that left twice under one Message-ID",
            ),
            (
                self.emails_in_doubt,
                "e-mails that may have been delivered, or not",
            ),
            (
                self.takeovers.unwrap_or_default(),
                "e-mails taken over from an instance that had died",
            ),
            (
                self.repeated_records,
                "records that are in a topic twice under one id",
            ),
            (self.mended, "poison letters mended and replayed"),
            (
                self.repeated_dead_letters,
                "dead letters that came once more under one id",
            ),
            (self.violations.len(), "violations"),
        ];
        for (count, what) in asked.into_iter().chain(outcomes).chain(found) {
            writeln!(out, "{count:>8}  {what}")?;
        }
        for (_, what) in outcomes.iter().filter(|(count, _)| *count == 0) {
            if self.orders >= MANY {
                writeln!(
                    out,
                    "No order was {what}: this run shows nothing about that."
                )?;
            }
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
        if let Some(pause) = self.longest_pause_s {
            writeln!(
                out,
                "{pause:>6.1} s  without a confirmed order, at most, while one node of a broker was away"
            )?;
        }
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
