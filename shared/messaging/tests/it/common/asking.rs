use std::time::Duration;

use contracts::{Control, Controls, FailKind};
use messaging::{Bus, ControlsPublisher};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::stage::{Running, Stage};
use super::{Parcel, record_all};

/// A queue whose consumer has nothing to do: when it goes away, its process has heard of a pause.
pub(crate) const IDLE: &str = "idle";
/// More often than once a second, so that tests are short.
const REPEATED: Duration = Duration::from_millis(200);

/// Somebody who asks things of a service, again and again.
pub(crate) struct Asking {
    said: watch::Sender<Controls>,
    running: Running,
}

impl Asking {
    pub(crate) fn start(stage: &Stage, control: Control) -> Self {
        let (said, hears) = watch::channel(just(control));
        let publisher = stage.bus.controls_publisher();
        let running = stage.start(|token| repeat(publisher, hears, token));
        Self { said, running }
    }

    /// Asks for something else.
    pub(crate) fn now(&self, control: Control) {
        self.said.send_replace(just(control));
    }

    /// Says nothing any more, as if it had died.
    pub(crate) async fn fall_silent(self) -> anyhow::Result<()> {
        self.running.stop().await
    }
}

/// Nothing is asked for, for a minute.
pub(crate) fn nothing() -> Control {
    Control {
        service: "tests".to_owned(),
        pause: false,
        slow_ms: 0,
        fail_percent: 0,
        fail_kind: FailKind::Transient,
        refuse_email: false,
        by: "Ada".to_owned(),
        since: jiff::Timestamp::now(),
        remaining_ms: 60_000,
    }
}

pub(crate) fn pause() -> Control {
    let pause = true;
    Control { pause, ..nothing() }
}

/// A process in demo mode with a consumer of [`IDLE`], which is at work before the process listens.
pub(crate) async fn process(stage: &Stage) -> anyhow::Result<Bus> {
    let mut args = stage.args.clone();
    args.demo.demo = true;
    let bus = Bus::new("tests", args, stage.pool.clone())?;
    let idle = bus.queue(IDLE);
    stage.start(|token| idle.run("idle", record_all(), token));
    stage.rabbitmq.until_consumed(IDLE).await?;
    stage.start(|token| bus.housekeeping(token));
    Ok(bus)
}

/// Writes parcels and waits until all are at their broker.
pub(crate) async fn deliver(
    stage: &Stage,
    parcels: impl IntoIterator<Item = Parcel>,
) -> anyhow::Result<()> {
    stage.publish(parcels).await?;
    stage.until_the_outbox_is_empty().await
}

fn just(control: Control) -> Controls {
    let services = vec![control];
    Controls { services }
}

async fn repeat(
    mut publisher: ControlsPublisher,
    mut hears: watch::Receiver<Controls>,
    token: CancellationToken,
) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval(REPEATED);
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let said = hears.borrow_and_update().clone();
        publisher.publish(&said).await?;
    }
    Ok(())
}
