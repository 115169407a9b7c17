//! What more consumers do, with one fixed load: the e-mails of so many orders on a queue of RabbitMQ, and the
//! events of the same orders on a topic of Kafka, for 1, 2, 4 and 8 instances of `notification`.
//!
//! Every message costs 20 ms of waiting for something that is not the CPU: an e-mail waits for the mail
//! provider, and a handler of events is slowed down as the page of the console does it.

mod curve;
mod drawing;
mod provider;
mod published;
mod table;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::http::Method;
use contracts::topology::{NOTIFICATION_EMAIL, NOTIFICATION_PUSH, NOTIFICATION_SMS, ORDER_EVENTS};
use harness::{
    Compose, Gateway, Group, Management, eventually, http_client, members_at_work, setting,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use self::curve::{middle_rate, steps};
use self::provider::Provider;
use super::bench::say;

pub(super) use self::curve::Curves;
pub use self::published::publish;
pub(super) use self::table::table;

const CONSUMERS: [u32; 4] = [1, 2, 4, 8];
/// What each message costs, in milliseconds.
const WAIT_MS: u16 = 20;
/// Small, so that the times of the events are close together.
const EVENTS_BATCH: &str = "5";

const SERVICE: &str = "notification";
const GROUP: &str = "notification.order-events";
const CONTROL: &str = "/api/console/controls/notification";
/// Its placement and its outcome.
const EVENTS_OF_AN_ORDER: f64 = 2.0;
/// Nobody waits longer than this for a benchmark.
const LIMIT: Duration = Duration::from_secs(600);

/// The consumers, and the means to hold them up, to let them go and to look at them.
pub(super) struct Scaling {
    compose: Compose,
    gateway: Gateway,
    rabbitmq: Management,
    group: Arc<Group>,
    provider: Provider,
    provider_url: String,
}

#[derive(Deserialize)]
struct Queue {
    name: String,
    /// The broker has not counted a queue that is new.
    messages: Option<u64>,
    consumers: Option<u64>,
}

impl Scaling {
    /// Listens at `SMTP_PROXY_PORT`, where containers can reach it.
    pub(super) async fn new(compose: Compose) -> Result<Self> {
        let http = http_client(Duration::from_secs(15))?;
        let port: u16 = setting("SMTP_PROXY_PORT")?
            .parse()
            .context("SMTP_PROXY_PORT")?;
        let takes = Duration::from_millis(WAIT_MS.into());
        Ok(Self {
            compose,
            gateway: Gateway::new(http.clone())?,
            rabbitmq: Management::new(http)?,
            group: Arc::new(Group::new(GROUP, ORDER_EVENTS)?),
            provider: Provider::listen(("0.0.0.0", port), takes).await?,
            provider_url: format!("smtp://host.docker.internal:{port}"),
        })
    }

    /// `place` places a fixed number of orders, waits until they are decided and says how many they were. One
    /// `notification` with its own settings is there in the end.
    pub(super) async fn measure(&self, place: impl AsyncFn() -> Result<f64>) -> Result<Curves> {
        say("wait until everybody is told of the orders so far");
        self.nothing_waits().await?;
        let (mut queue, mut topic) = (Vec::new(), Vec::new());
        for consumers in CONSUMERS {
            say(&format!("consumers: {consumers}"));
            self.ask(json!({"pause": true})).await?;
            self.start(consumers).await?;
            let orders = place().await?;
            topic.push((consumers, self.handle_events(orders).await?));
            queue.push((consumers, self.send_emails(orders).await?));
        }
        self.ask_nothing().await?;
        self.up(1, &[]).await?;
        Ok(Curves {
            rabbitmq: steps(&queue),
            kafka: steps(&topic),
        })
    }

    /// So many instances that are paused and have their partitions.
    async fn start(&self, consumers: u32) -> Result<()> {
        let settings = [
            ("SMTP_URL", self.provider_url.as_str()),
            ("EMAIL_CONCURRENCY", "1"),
            ("EVENTS_BATCH", EVENTS_BATCH),
        ];
        self.up(consumers, &settings).await?;
        eventually("all have partitions and pause", LIMIT, async || {
            let at_work = spawn_blocking(|| members_at_work(GROUP)).await??;
            let is_complete = at_work == usize::try_from(consumers)?;
            Ok((is_complete && self.nobody_sends().await?).then_some(()))
        })
        .await
    }

    /// How many events a second are handled. E-mails pile up meanwhile.
    async fn handle_events(&self, orders: f64) -> Result<f64> {
        let waiting = eventually("every event waits", LIMIT, async || {
            let lag = self.lag().await?;
            Ok((lag as f64 >= EVENTS_OF_AN_ORDER * orders).then_some(lag))
        });
        let waiting = waiting.await?;
        self.ask(json!({"slow_ms": WAIT_MS, "refuse_email": true}))
            .await?;
        eventually("every event is handled", LIMIT, async || {
            Ok((self.lag().await? == 0).then_some(()))
        })
        .await?;
        let times = self.times_of_events(waiting).await?;
        middle_rate(&times).context("too few events")
    }

    /// How many e-mails a second are sent, those of so many orders.
    async fn send_emails(&self, orders: f64) -> Result<f64> {
        self.ask(json!({"refuse_email": true})).await?;
        eventually("e-mails wait and nothing else", LIMIT, async || {
            let queues: Vec<Queue> = self.rabbitmq.queues().await?;
            let do_wait = waiting(&queues, NOTIFICATION_EMAIL)? as f64 >= orders;
            Ok((do_wait && others_are_empty(&queues)?).then_some(()))
        })
        .await?;
        // Each holds one, and gives it back. Then all begin at once.
        self.ask(json!({"pause": true})).await?;
        eventually("nobody holds an e-mail", LIMIT, async || {
            Ok(self.nobody_sends().await?.then_some(()))
        })
        .await?;
        self.provider.forget();
        self.ask_nothing().await?;
        let taken = timeout(LIMIT, self.provider.has_taken(orders));
        let times = taken.await.context("not all e-mails were sent")??;
        middle_rate(&times).context("too few e-mails")
    }

    async fn nothing_waits(&self) -> Result<()> {
        eventually("nothing waits", LIMIT, async || {
            let queues: Vec<Queue> = self.rabbitmq.queues().await?;
            let is_empty = waiting(&queues, NOTIFICATION_EMAIL)? == 0;
            let is_empty = is_empty && others_are_empty(&queues)?;
            Ok((is_empty && self.lag().await? == 0).then_some(()))
        })
        .await
    }

    async fn nobody_sends(&self) -> Result<bool> {
        let queues: Vec<Queue> = self.rabbitmq.queues().await?;
        Ok(queue(&queues, NOTIFICATION_EMAIL)?.consumers == Some(0))
    }

    async fn lag(&self) -> Result<u64> {
        let group = Arc::clone(&self.group);
        let unread = spawn_blocking(move || group.unread()).await??;
        let records = unread.iter().sum::<i64>();
        Ok(u64::try_from(records)?)
    }

    /// When each of the newest events was handled, in seconds by the clock of the database. There is one push
    /// message for each event, written in the transaction that handles it.
    async fn times_of_events(&self, events: u64) -> Result<Vec<f64>> {
        let query = format!(
            "select extract(epoch from created_at) from notifications where channel = 'push' \
             order by created_at desc limit {events}"
        );
        let psql = ["exec", "-T", "postgres", "psql", "-U", "postgres"];
        let ask = ["-d", SERVICE, "-qtAXc", &query];
        let printed = self.compose.run(&[&psql[..], &ask].concat()).await?;
        let times = printed.lines().map(|line| line.trim().parse::<f64>());
        let times: Result<Vec<_>, _> = times.collect();
        times.with_context(|| printed.clone())
    }

    /// Runs so many instances, all of them with these settings.
    async fn up(&self, instances: u32, settings: &[(&str, &str)]) -> Result<()> {
        let scale = format!("--scale={SERVICE}={instances}");
        let up = ["up", "--detach", "--no-build", "--no-deps", &scale];
        let wait = ["--wait", "--wait-timeout", "300", SERVICE];
        let up = [&up[..], &wait].concat();
        self.compose.run_with(settings, &up).await.map(drop)
    }

    /// Asks this of every instance, in place of what was asked before.
    async fn ask(&self, mut wanted: Value) -> Result<()> {
        wanted["seconds"] = 3_600.into();
        wanted["by"] = "the benchmark".into();
        let answer = self.gateway.call(Method::PUT, CONTROL, &wanted).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }

    async fn ask_nothing(&self) -> Result<()> {
        let answer = self.gateway.delete(CONTROL).await?;
        ensure!(answer.status == 204, "{answer:?}");
        Ok(())
    }
}

fn queue<'q>(queues: &'q [Queue], name: &str) -> Result<&'q Queue> {
    let mut queues = queues.iter();
    let found = queues.find(|queue| queue.name == name);
    found.with_context(|| format!("there is no queue {name}"))
}

fn waiting(queues: &[Queue], name: &str) -> Result<u64> {
    queue(queues, name)?.messages.context("not counted yet")
}

fn others_are_empty(queues: &[Queue]) -> Result<bool> {
    let texts = waiting(queues, NOTIFICATION_SMS)?;
    Ok(texts + waiting(queues, NOTIFICATION_PUSH)? == 0)
}
