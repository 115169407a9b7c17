//! The `order` service: takes orders and follows each of them to its end.
//!
//! | | |
//! |---|---|
//! | owns | orders and their HTTP API, the payment deadline, its own copy of the price list |
//! | consumes | Kafka `stock-events` and `products`; RabbitMQ `order.payment-deadlines` |
//! | produces | RabbitMQ commands `stock.reserve`, `stock.release`, `stock.sell`, and the payment deadline with a delay; Kafka `order-events` |
//!
//! It asks nobody: an order is priced from the copy of the price list, and whether its stock can be
//! reserved arrives as an event. So it accepts orders while every other service and both brokers
//! are away.

#![deny(clippy::mod_module_files)]

pub mod config;

pub mod domain;
pub mod store;

pub mod announce;
pub mod handlers;
pub mod intake;
pub mod sweep;

pub mod http;
