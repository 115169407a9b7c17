use std::env;
use std::time::Duration;

use anyhow::Context;
use messaging::{Bus, Cause, DemoArgs, KafkaArgs, MessagingArgs, OutboxLimits, SaslMechanism};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

use super::{Parcel, TopicOfTest, VirtualHost, effects, eventually};

/// What a process gets between SIGTERM and SIGKILL in `docker-compose.yml`.
const STOP: Duration = Duration::from_secs(15);

/// Far above what any test writes.
const LIMITS: OutboxLimits = OutboxLimits {
    outbox_limit: 1_000_000,
    outbox_max_age: None,
};

/// The scene of one test: its own database, virtual host and topics, and a service on it.
pub(crate) struct Stage {
    pub(crate) pool: PgPool,
    pub(crate) rabbitmq: VirtualHost,
    pub(crate) args: MessagingArgs,
    pub(crate) bus: Bus,
    topics: Vec<TopicOfTest>,
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Stage {
    /// With a single short pause before the second and last attempt.
    pub(crate) async fn new(pool: &PgPool) -> anyhow::Result<Self> {
        Self::with_retry_delays(pool, &[Duration::from_millis(100)]).await
    }

    pub(crate) async fn with_retry_delays(
        pool: &PgPool,
        retry_delays: &[Duration],
    ) -> anyhow::Result<Self> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "messaging=info".into());
        let log = tracing_subscriber::fmt().with_env_filter(filter);
        log.with_test_writer().try_init().ok();

        messaging::migrate(pool).await?;
        effects::create(pool).await?;
        let rabbitmq = VirtualHost::create().await?;
        let args = MessagingArgs {
            amqp_url: rabbitmq.url(),
            kafka: KafkaArgs {
                kafka_brokers: env::var("KAFKA_BROKERS").context("KAFKA_BROKERS is not set")?,
                kafka_security_protocol: None,
                kafka_sasl_mechanism: SaslMechanism::Plain,
                kafka_username: None,
                kafka_password: String::new(),
            },
            retry_delays: retry_delays.to_vec(),
            outbox_poll: Duration::from_millis(200),
            outbox_shards: None,
            inbox_retention: Duration::from_secs(3600),
            limits: LIMITS,
            demo: DemoArgs::default(),
        };
        Ok(Self {
            bus: Bus::new("tests", args.clone(), pool.clone())?,
            pool: pool.clone(),
            rabbitmq,
            args,
            topics: Vec::new(),
            token: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Another instance of the same service.
    pub(crate) fn another_bus(&self) -> anyhow::Result<Bus> {
        self.another_bus_named("tests")
    }

    /// Another instance that can be told apart by what it publishes.
    pub(crate) fn another_bus_named(&self, service: &'static str) -> anyhow::Result<Bus> {
        Bus::new(service, self.args.clone(), self.pool.clone())
    }

    pub(crate) async fn topic(&mut self, partitions: i32) -> anyhow::Result<TopicOfTest> {
        self.topic_with(partitions, &[]).await
    }

    /// A topic with settings that differ from the broker's.
    pub(crate) async fn topic_with(
        &mut self,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<TopicOfTest> {
        let brokers = &self.args.kafka.kafka_brokers;
        let topic = TopicOfTest::create(brokers, partitions, settings).await?;
        self.topics.push(topic.clone());
        Ok(topic)
    }

    /// Runs a relay or a consumer until it is stopped, or until the end of the test.
    pub(crate) fn start<F>(&self, run: impl FnOnce(CancellationToken) -> F) -> Running
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let token = self.token.child_token();
        let task = self.tasks.spawn(run(token.clone()));
        Running { token, task }
    }

    /// Writes parcels in one transaction.
    pub(crate) async fn publish(
        &self,
        parcels: impl IntoIterator<Item = Parcel>,
    ) -> anyhow::Result<()> {
        let mut tx = self.bus.begin().await?;
        for parcel in parcels {
            tx.publish(&Cause::none(), &parcel);
        }
        Ok(tx.commit().await?)
    }

    /// Key and number of the parcels that were handled, in that order.
    pub(crate) async fn effects(&self) -> anyhow::Result<Vec<(String, i64)>> {
        let effects = effects::all(&self.pool).await?;
        Ok(effects.into_iter().map(|(_, key, n)| (key, n)).collect())
    }

    /// Waits for at least so many effects and returns the numbers of all.
    pub(crate) async fn numbers_after(&self, count: usize) -> anyhow::Result<Vec<i64>> {
        eventually("effects", async || {
            let effects = self.effects().await?;
            let numbers = effects.into_iter().map(|(_, number)| number);
            Ok(Some(numbers.collect()).filter(|numbers: &Vec<i64>| numbers.len() >= count))
        })
        .await
    }

    /// Ids of the messages that a handler has handled.
    pub(crate) async fn inbox(&self, handler: &str) -> anyhow::Result<Vec<uuid::Uuid>> {
        let ids = sqlx::query_scalar("select message_id from messaging.inbox where handler = $1");
        Ok(ids.bind(handler).fetch_all(&self.pool).await?)
    }

    /// How many messages wait to be published, also those that were refused.
    pub(crate) async fn outbox_size(&self) -> anyhow::Result<i64> {
        let count = sqlx::query_scalar(
            "select (select count(*) from messaging.outbox) + (select count(*) from messaging.refused)",
        );
        Ok(count.fetch_one(&self.pool).await?)
    }

    pub(crate) async fn until_the_outbox_is_empty(&self) -> anyhow::Result<()> {
        eventually("an empty outbox", async || {
            Ok((self.outbox_size().await? == 0).then_some(()))
        })
        .await
    }

    /// Stops what is running and removes what was created.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        for topic in self.topics {
            topic.delete().await?;
        }
        self.rabbitmq.delete().await
    }
}

/// A relay or consumer at work.
pub(crate) struct Running {
    token: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.token.cancel();
        let stopped = timeout(STOP, self.task).await;
        stopped.context("it does not stop")??
    }

    /// Only asks it to stop.
    pub(crate) fn cancel(&self) {
        self.token.cancel();
    }

    /// Ends it as a crash would: nothing is handed back.
    pub(crate) async fn crash(self) {
        self.task.abort();
        self.task.await.ok();
    }
}
