//! From a delivery to what becomes of it; the same for both brokers.

mod dead_letter;
mod envelope;
mod runner;

pub(crate) use dead_letter::{DeadLetter, Source};
pub(crate) use envelope::Envelope;
pub(crate) use runner::{Item, Outcome, Processing};
