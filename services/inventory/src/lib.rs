//! Products, stock and reservations.
//!
//! | | |
//! |---|---|
//! | owns | the products, the stock of each, what was reserved for which order |
//! | consumes | the commands [`contracts::StockCommand`] from its queue in RabbitMQ |
//! | produces | `stock-events`, `products` and `stock-levels` in Kafka |
//!
//! It knows an order only by its id.

#![deny(clippy::mod_module_files)]

pub mod announce;
pub mod config;
pub mod domain;
pub mod handlers;
pub mod http;
pub mod store;
