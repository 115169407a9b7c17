//! Attacks the running system under load and asks the [`checker`] what became of its
//! promises; see `./dev chaos`.
//!
//! - [`Schedule`] says which faults come when: chance, but the same for the same seed.
//! - [`Arena`] is the system under attack, with one node of each broker or three; every fault can be healed, and [`Arena::restore`] heals all
//!   that there may be, whatever happened before.
//! - [`Clients`] are the clients, who remember what they were answered.
//! - [`run`] puts it together.

mod arena;
mod broker;
mod clients;
mod fault;
mod faults;
mod guarantee;
mod kind;
mod logs;
mod mail;
mod mend;
mod networks;
mod pauses;
mod report;
mod rest;
mod run;
mod schedule;

pub use arena::Arena;
pub use broker::Broker;
pub use clients::{Clients, Ledger};
pub use fault::{Alarm, Fault};
pub(crate) use faults::TO_BE_MENDED;
pub use guarantee::Guarantee;
pub use kind::Kind;
pub use mail::{MailRoute, Mood};
pub use pauses::{Confirmed, Window, longest_pause};
pub use report::{FaultRecord, Report};
pub use run::{Options, run};
pub use schedule::{Lane, Planned, Schedule};
