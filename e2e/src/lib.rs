//! Tests of the running system from outside, and its load generator.
//!
//! The tests see what a user and an operator see: HTTP through the gateway, the brokers, the mail
//! catcher, and `docker compose` to stop, start and scale. Of the services' code they know only
//! `contracts`. `./dev test` starts a system for them and says where it is; without that they fail.
//!
//! - [`architecture`] checks that services know nothing of each other; it needs no running system.
//! - [`Stack`] gives a test the running system, shared or alone.
//! - [`claims`] checks what the READMEs and `docs/` say.
//! - [`chaos`] attacks the system under load, behind the binary `chaos` and `./dev chaos`.
//! - [`checker`] decides whether the promises were kept, by everything that can be seen.
//! - [`load`] is behind the binary `load`, which `./dev bench` runs inside the Compose network.
//! - [`tour`] shows the ideas one by one, behind the binary `tour` and `./dev tour`.

pub mod architecture;
pub mod chaos;
pub mod checker;
pub mod claims;
pub mod load;
pub mod tour;

mod collector;
mod compose;
mod eventually;
mod gateway;
mod http;
mod mailbox;
mod rabbitmq;
mod settings;
mod stack;
mod topic;

pub use collector::{Collector, Span, Trace};
pub use compose::{Compose, Container, Metrics};
pub use eventually::{SOON, eventually};
pub use gateway::{Answer, Change, Gateway, Notification, Order, StockLevel, wish};
pub use http::http_client;
pub use mailbox::{Address, Email, Envelope, Headers, Mailbox};
pub use rabbitmq::{DeadLetter, RabbitMq};
pub use settings::setting;
pub use stack::Stack;
pub use topic::{Record, TopicReader, TopicWriter};
