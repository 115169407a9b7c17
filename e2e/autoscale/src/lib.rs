//! Scales services on Compose as KEDA and Kubernetes would scale them, by the very same files: the ScaledObjects of
//! `deploy/kubernetes`. The binary `autoscale` and `./dev autoscale` are made of it.
//!
//! - [`ScaledObject`] is what such a file says. What this crate does not obey is an error that names file and field.
//! - [`Rule`] decides, from [`Sample`]s and the present number of instances, how many there shall be. It does no I/O and
//!   has no clock of its own.
//! - [`System`] asks RabbitMQ and Kafka, and tells Compose.

mod object;
mod rule;
mod system;

pub use object::{
    Behavior, Direction, Limits, Policy, ScaledObject, Select, Step, Subject, Trigger,
};
pub use rule::{Decision, Reason, Rule, Sample};
pub use system::System;
