//! The running system as somebody outside sees it.
//!
//! HTTP through the gateway, the brokers, the mail catcher, and `docker compose` to stop, start and
//! scale. Of the services' code it knows only `contracts`. `./dev test` starts a system and says where it
//! is; without that everything here fails.
//!
//! [`Stack`] gives a test the running system, shared or alone.

mod cloud_event;
mod commands;
mod compose;
mod eventually;
mod gateway;
mod group;
mod http;
mod letters;
mod mailbox;
mod management;
mod programs;
mod raw_amqp;
mod raw_kafka;
mod refused;
mod replicas;
mod settings;
mod stack;
mod topics;

pub use cloud_event::{CloudEvent, cloud_event};
pub use commands::take_command;
pub use compose::{Compose, Container, Health, Metrics};
pub use eventually::{SOON, eventually};
pub use gateway::{Answer, Change, Gateway, Notification, Order, StockLevel, wish};
pub use group::{ConsoleGroups, Group, TOPICS, members_at_work};
pub use http::http_client;
pub use letters::{Letter, Letters};
pub use mailbox::{Address, Email, Envelope, Headers, Mailbox};
pub use management::Management;
pub use programs::program;
pub use raw_amqp::{RawAmqp, RawMessage, RawValue};
pub use raw_kafka::RawRecord;
pub use refused::is_refused;
pub use replicas::is_replicated;
pub use settings::setting;
pub use stack::Stack;
pub use topics::{Record, TopicReader, TopicWriter, header, kafka_client, read_all};
