//! The running system, looked at from outside. `./dev test` starts one for these tests and removes
//! it afterwards; without one they fail.
//!
//! Products are shared out, so that tests which count stock may run beside each other: whoever counts
//! takes a product of its own, everybody else the solo kayak.

mod age;
mod autoscale;
mod bindings;
mod bodies;
mod checker;
mod claims;
mod command_line;
mod confined;
mod crash_points;
mod databases;
mod errors;
mod gateway;
mod guarantees;
mod letters;
mod lifecycle;
mod metrics;
mod new_service;
mod observe;
mod orders;
mod orphans;
mod outages;
mod poison;
mod pressure;
mod rebuild;
mod replays;
mod requests;
mod round_trips;
mod sale;
mod scaling;
mod stock;
mod stopped;
mod tour;
mod trace;

mod support;

/// The product whose stock nobody counts.
const ANYTHING: &str = "KAYAK-SOLO";
