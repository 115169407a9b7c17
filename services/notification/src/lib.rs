//! Tells customers what happened to their orders.
//!
//! | | |
//! |---|---|
//! | owns | what was told to whom |
//! | consumes | `order-events` from Kafka; its own tasks, one queue per channel, from RabbitMQ |
//! | produces | tasks for the topic exchange `notifications`; e-mail, text and push messages |
//!
//! The events say everything there is to know about an order, so it asks nobody.

#![deny(clippy::mod_module_files)]

pub mod config;
pub mod domain;
pub mod email;
pub mod handlers;
pub mod http;
pub mod provider;
pub mod store;
