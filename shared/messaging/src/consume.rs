//! From a delivery to what becomes of it; the same for both brokers.
//!
//! This room promises that every delivery ends in exactly one way: handled and committed, tried
//! again later, or a dead letter with its reason. A message that fails does not fail its neighbours,
//! and an outage is never counted against a message. The room names no broker's client: a consumer
//! hands in decoded messages, and does with each what the [`RetryPolicy`] says.

mod claim;
mod consuming;
mod envelope;

mod holds;
mod outage;
mod run;
mod runner;
mod settlement;

mod alone;
mod effects;

mod as_asked;

mod dead_letter;

mod metrics;

mod held_spans;
mod spans;

pub(crate) use as_asked::run_as_asked;
pub(crate) use consuming::{Consuming, group};
pub(crate) use dead_letter::{DeadLetter, DeadLetters, Origin, Original};
pub(crate) use effects::EffectRunner;
pub(crate) use envelope::Envelope;
pub(crate) use held_spans::HeldPartition;
pub(crate) use holds::Holds;
pub(crate) use metrics::ConsumeMetrics;
pub(crate) use run::Run;
pub(crate) use runner::{BatchRunner, Outcome, Pending, Stopped};
pub(crate) use settlement::{RetryPolicy, Settlement};
pub(crate) use spans::ProcessSpan;
