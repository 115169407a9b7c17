//! What every test here needs: brokers and a database of its own, a message, a handler, and a way
//! to wait without sleeping for a fixed time.

pub(crate) mod asking;
mod detour;
mod effects;
mod gate;
pub(crate) mod generated;
mod kafka;
mod parcel;
mod properties;
mod rabbitmq;
pub(crate) mod raw_amqp;
pub(crate) mod raw_kafka;
mod sending;
pub(crate) mod stage;

use std::time::{Duration, Instant};

pub(crate) use detour::{Detour, Trouble};
pub(crate) use effects::{record, record_all, record_if};
pub(crate) use gate::Gate;
pub(crate) use kafka::{TopicOfTest, header_of, headers};
pub(crate) use parcel::{PARCELS, Parcel, QUEUE, parcel};
pub(crate) use properties::{amqp_header, cloud_event};
pub(crate) use rabbitmq::VirtualHost;
pub(crate) use sending::Sending;
pub(crate) use stage::Stage;

/// How long anything may take before a test gives up; far more than it takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(90);
const INTERVAL: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        anyhow::ensure!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(INTERVAL).await;
    }
}
