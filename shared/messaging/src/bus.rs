use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::topology::{Exchange, Topic};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::consume::Processing;
use crate::kafka::{Kafka, KafkaPublisher};
use crate::metrics::Metrics;
use crate::outbox::Pressure;
use crate::outbox::Relay;
use crate::outbox::{self, Transport, Wake, in_time};
use crate::rabbitmq::{OutboxPublisher, Publisher, QueueConsumer, RabbitMq};
use crate::trace::Tracing;
use crate::{MessagingArgs, TopicConsumer, Tx, inbox};

/// Creates or upgrades the tables of this crate (outbox, inbox, leases), in the schema
/// `messaging`, beside those of the service.
///
/// # Errors
///
/// When the database is away or holds a schema of another history.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    let mut migrator = sqlx::migrate!();
    migrator.create_schema("messaging");
    migrator.dangerous_set_table_name("messaging._migrations");
    migrator.run(pool).await
}

/// One service's access to both brokers; cheap to clone.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    service: &'static str,
    args: MessagingArgs,
    pool: PgPool,
    rabbitmq: RabbitMq,
    kafka: Kafka,
    wake: Arc<Wake>,
    pressure: Pressure,
    metrics: Arc<Metrics>,
    tracing: Tracing,
}

impl Bus {
    /// Prepares access for `service`. Nothing is
    /// connected yet: the brokers may be away now and at any time later.
    ///
    /// # Errors
    ///
    /// When an address cannot be parsed, or something is to be broken where that is not allowed.
    pub fn new(
        service: &'static str,
        mut args: MessagingArgs,
        pool: PgPool,
    ) -> anyhow::Result<Self> {
        args.demo.apply(&mut args.retry_delays)?;
        let rabbitmq = RabbitMq::new(&args.amqp_url, service)?;
        let kafka = Kafka::new(&args, service);
        let inner = Inner {
            service,
            pressure: Pressure::new(args.limits),
            args,
            pool,
            rabbitmq,
            kafka,
            wake: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            tracing: Tracing::new(service),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Begins a transaction that can publish, for code that no message has called.
    ///
    /// # Errors
    ///
    /// When the database gives no connection in time.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        Tx::begin(&self.inner.pool, &self.inner.wake).await
    }

    /// Whether so much waits to be published that new work should be refused, as of a few seconds
    /// ago. Measured by [`housekeeping`](Self::housekeeping), so that asking costs nothing.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.inner.pressure.is_full()
    }

    /// Consumes a queue of this service.
    pub fn queue(&self, queue: &'static str) -> QueueConsumer {
        QueueConsumer::new(self.clone(), queue)
    }

    /// Consumes a topic, as part of a consumer group named `<service>.<topic>`.
    pub fn topic(&self, topic: Topic) -> TopicConsumer {
        TopicConsumer::new(self.clone(), topic)
    }

    /// Publishes what this service has written for RabbitMQ, until stopped. Declares the
    /// `exchanges` that it publishes to.
    ///
    /// # Errors
    ///
    /// None; the broker and the database may come and go.
    pub fn rabbitmq_relay<E: Into<Vec<Exchange>>>(
        &self,
        exchanges: E,
        token: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<E> {
        let publisher = OutboxPublisher {
            publisher: Publisher::new(self.inner.rabbitmq.clone(), exchanges.into()),
            source: self.source(),
            tracing: self.inner.tracing.clone(),
        };
        self.relay(Transport::RabbitMq, publisher).run(token)
    }

    /// Publishes what this service has written for Kafka, until stopped. Creates the `topics`
    /// that it owns.
    ///
    /// # Errors
    ///
    /// None; the broker and the database may come and go.
    pub fn kafka_relay<T: Into<Vec<Topic>>>(
        &self,
        topics: T,
        token: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<T> {
        let publisher = KafkaPublisher::new(
            self.inner.kafka.clone(),
            topics.into(),
            self.source(),
            self.inner.tracing.clone(),
        );
        self.relay(Transport::Kafka, publisher).run(token)
    }

    /// Measures the outbox and forgets old inbox entries, until stopped.
    ///
    /// # Errors
    ///
    /// None; the database may come and go.
    pub fn housekeeping(
        &self,
        token: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        const INTERVAL: Duration = Duration::from_secs(5);
        let bus = self.clone();
        async move {
            let mut tick = tokio::time::interval(INTERVAL);
            while token.run_until_cancelled(tick.tick()).await.is_some() {
                if let Err(error) = bus.keep_house(&token, INTERVAL).await {
                    warn!(%error, "housekeeping failed, next try in {INTERVAL:?}");
                }
            }
            Ok(())
        }
    }

    async fn keep_house(&self, token: &CancellationToken, limit: Duration) -> sqlx::Result<()> {
        let Inner {
            pool,
            metrics,
            pressure,
            args,
            ..
        } = &*self.inner;
        let mut backlogs = Vec::new();
        for transport in [Transport::RabbitMq, Transport::Kafka] {
            let backlog = outbox::backlog(pool, transport, pressure.countable());
            let backlog = in_time(backlog).await?;
            metrics.backlog(transport, backlog);
            backlogs.push(backlog);
        }
        pressure.measured(&backlogs);
        // In portions, as many as there is time for: then the outbox has to be measured again.
        let started = Instant::now();
        while !token.is_cancelled()
            && started.elapsed() < limit
            && in_time(inbox::prune(pool, args.inbox_retention)).await? > 0
        {}
        Ok(())
    }

    /// For health: fails unless RabbitMQ answered when it was last needed.
    ///
    /// # Errors
    ///
    /// When the last attempt to use it failed, or none was made yet.
    pub async fn ping_rabbitmq(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.inner.rabbitmq.is_connected(), "not connected");
        Ok(())
    }

    /// For health: fails unless a Kafka broker is connected.
    ///
    /// # Errors
    ///
    /// When the client library has reported that none is, or nothing yet.
    pub async fn ping_kafka(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.inner.kafka.is_connected(), "not connected");
        Ok(())
    }

    pub(crate) fn service(&self) -> &'static str {
        self.inner.service
    }

    pub(crate) fn retry_delays(&self) -> &[Duration] {
        &self.inner.args.retry_delays
    }

    /// How long to wait after so many failed attempts; `None` when that was the last.
    pub(crate) fn pause_after(&self, attempts: u32) -> Option<Duration> {
        let step = usize::try_from(attempts.checked_sub(1)?).ok()?;
        self.retry_delays().get(step).copied()
    }

    pub(crate) fn rabbitmq(&self) -> &RabbitMq {
        &self.inner.rabbitmq
    }

    pub(crate) fn kafka(&self) -> &Kafka {
        &self.inner.kafka
    }

    pub(crate) fn tracing(&self) -> &Tracing {
        &self.inner.tracing
    }

    pub(crate) fn processing<H>(&self, name: &'static str, handler: H) -> Processing<H> {
        Processing {
            pool: self.inner.pool.clone(),
            wake: Arc::clone(&self.inner.wake),
            metrics: Arc::clone(&self.inner.metrics),
            name,
            handler,
        }
    }

    /// The CloudEvents `source` of everything this service publishes.
    fn source(&self) -> String {
        format!("/spillway/{}", self.inner.service)
    }

    fn relay<P>(&self, transport: Transport, publisher: P) -> Relay<P> {
        Relay {
            pool: self.inner.pool.clone(),
            transport,
            publisher,
            wake: Arc::clone(&self.inner.wake),
            poll: self.inner.args.outbox_poll,
            metrics: Arc::clone(&self.inner.metrics),
        }
    }
}
