use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::control::ControlView;
use super::letters::Letters;

/// The state of the whole system. What is unknown is null and never 0.
#[derive(Debug, Serialize, ToSchema)]
pub struct Frame {
    /// When it was made, by the clock of the console.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Which instance of the console has made it.
    pub instance: &'static str,
    /// Whether services may be slowed and broken here.
    pub demo: bool,
    /// Whether this console changes anything.
    pub readonly: bool,
    /// Numbers that rise when the lists behind them change.
    pub changes: Changes,
    /// What is stuck and why, the worst first; empty when nothing is.
    pub sentences: Vec<Sentence>,
    /// Whether the brokers answer.
    pub brokers: BTreeMap<&'static str, Broker>,
    /// Who is connected.
    pub services: Vec<Service>,
    /// The queues of RabbitMQ.
    pub queues: Vec<Queue>,
    /// The topics of Kafka.
    pub topics: Vec<Topic>,
    /// What the orders have in common.
    pub orders: Orders,
    /// What the page about peak shaving shows.
    pub peak: Peak,
    /// What was asked of services, and by whom.
    pub controls: Vec<ControlView>,
    /// The dead letters in short.
    pub letters: Option<Letters>,
    /// How many records of topics this instance could not decode since it began.
    pub undecodable: u64,
}

/// Numbers that rise when the lists behind them change.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changes {
    /// The list of orders.
    pub orders: Option<i64>,
    /// The list of stock levels.
    pub stock: Option<i64>,
    /// The list of dead letters.
    pub letters: Option<i64>,
}

/// One thing that does not move.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sentence {
    /// `broker-away`, `nobody-consumes`, `held`, `retry`, `paused`, `failing`, `slowed` or `arrival-faster`.
    pub reason: &'static str,
    /// `error`, `warning` or `info`.
    pub level: &'static str,
    /// A queue, a partition of a topic, a service or a broker.
    pub subject: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    pub service: Option<String>,
    /// How many messages wait.
    pub depth: Option<u64>,
    /// How long the oldest of them has been waiting, in seconds.
    pub age_s: Option<f64>,
    /// It is older than that.
    pub age_at_least: bool,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
    pub order_id: Option<String>,
    pub attempt: Option<u32>,
    pub attempts: Option<u32>,
    pub error: Option<String>,
    /// Who has asked for it.
    pub by: Option<String>,
    pub in_per_s: Option<f64>,
    pub out_per_s: Option<f64>,
    /// What to type in order to mend it.
    pub command: Option<String>,
}

/// Whether a broker answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Broker {
    pub up: Option<bool>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    pub error: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// Who of a service is connected to RabbitMQ.
#[derive(Debug, Serialize, ToSchema)]
pub struct Service {
    pub name: String,
    pub instances: Option<Vec<Instance>>,
}

/// One process of a service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Instance {
    /// Its address.
    pub host: String,
    /// Since when it is known.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// One queue of RabbitMQ.
#[derive(Debug, Serialize, ToSchema)]
pub struct Queue {
    pub name: String,
    pub service: String,
    /// `work`, `delay`, `dead-letters` or `other`.
    pub kind: &'static str,
    pub delay_ms: Option<u64>,
    pub depth: Option<u64>,
    pub ready: Option<u64>,
    pub unacked: Option<u64>,
    pub consumers: Option<u64>,
    pub in_per_s: Option<f64>,
    pub out_per_s: Option<f64>,
    pub age_s: Option<f64>,
    pub age_at_least: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// One topic of Kafka.
#[derive(Debug, Serialize, ToSchema)]
pub struct Topic {
    pub name: String,
    pub in_per_s: Option<f64>,
    pub groups: Vec<Group>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// How far a consumer group has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    pub name: String,
    pub service: String,
    pub members: usize,
    pub lag: u64,
    pub out_per_s: Option<f64>,
    pub age_s: Option<f64>,
    pub partitions: Vec<Partition>,
}

/// How far it has come in one partition.
#[derive(Debug, Serialize, ToSchema)]
pub struct Partition {
    pub partition: i32,
    pub committed: Option<i64>,
    pub end: i64,
    pub lag: u64,
    pub age_s: Option<f64>,
    /// The key of the record at its head: an order's id in the topics about orders.
    pub head_order: Option<String>,
}

/// What the orders of the last seconds have in common.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Orders {
    /// Placed per second.
    pub placed_per_s: Option<f64>,
    /// Confirmed or rejected per second.
    pub decided_per_s: Option<f64>,
    /// Half of them were decided within so many milliseconds.
    pub p50_ms: Option<f64>,
    /// All but one in a hundred.
    pub p99_ms: Option<f64>,
    /// How many are pending; 10,001 stands for more than 10,000.
    pub pending: Option<i64>,
    /// The one that has been pending longest.
    pub oldest_pending: Option<Oldest>,
    /// How many have each status; 10,001 stands for more than 10,000.
    pub statuses: Option<BTreeMap<&'static str, i64>>,
}

/// The order that has been pending longest.
#[derive(Debug, Serialize, ToSchema)]
pub struct Oldest {
    /// Its id.
    pub id: Uuid,
    /// When it was placed, by its id.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub placed_at: Option<Timestamp>,
}

/// The queue of the flood.
#[derive(Debug, Serialize, ToSchema)]
pub struct Peak {
    pub queue: &'static str,
    /// How many messages have ever arrived, by the console's own count.
    pub arrived: Option<u64>,
    /// How many have ever left.
    pub departed: Option<u64>,
    pub in_per_s: Option<f64>,
    pub out_per_s: Option<f64>,
    pub depth: Option<u64>,
    pub age_s: Option<f64>,
    pub age_at_least: bool,
    pub instances: Option<usize>,
    pub forecast: ForecastView,
}

/// What becomes of the messages that wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForecastView {
    /// `empty`, `drains`, `grows`, `steady` or `unknown`.
    pub kind: &'static str,
    /// When the queue is empty, if it drains.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub empty_at: Option<Timestamp>,
    /// By how many messages a second it drains or grows.
    pub per_s: Option<f64>,
}
