//! Tests of the crate on a real PostgreSQL, RabbitMQ and Kafka, whose addresses are in the
//! environment. Each has its own database, virtual host and topics, so all may run side by side.

mod common;

mod contracts;
mod delivery;
mod full;
mod outbox;
mod refused;

mod attempts;
mod bad_messages;
mod batch;
mod compression;
mod controls;
mod controls_of_topics;
mod delay;
mod doubts;
mod effects;
mod effects_elsewhere;
mod foreign_messages;
mod foreign_records;
mod fuzz;
mod gathering;
mod held;
mod housekeeping;
mod inbox;
mod kafka_retry;
mod new_database;
mod outage;
mod retry;
mod topics;
mod topology;

mod handover;
mod leases;
mod letters;
mod order;
mod rebalance;
mod reconnect;
mod replays;
mod stop;
