//! Shows what happens, and what is stuck and why.
//!
//! | | |
//! |---|---|
//! | owns | a copy of what topics say about orders and stock, which can be read again; what was asked of services; dead letters |
//! | consumes | all Kafka topics; the queue `dead-letters`; spans over OTLP; the statistics of both brokers |
//! | produces | a page at `/`, its event stream and API; the fanout exchange `controls`; dead letters, back to the consumers that failed |
//!
//! It is the proof of decoupling: no other service knows of it, and all of them run the same when it is stopped,
//! scaled or removed.

#![deny(clippy::mod_module_files)]

pub mod config;
pub mod controls;
pub mod domain;
pub mod handlers;
pub mod http;
pub mod live;
pub mod office;
pub mod rebuild;
pub mod statistics;
pub mod store;
pub mod telemetry;

mod pace;
