//! The wiring of one service.
//!
//! This room promises that a service names what it consumes and publishes in a few lines, and that
//! all of it shares one connection pool, one retry policy and one name. It is the only room that
//! knows both brokers.

mod checks;
mod controls;
mod housekeeping;
mod letters;
mod read_again;
mod removal;
mod shards;
mod topic;

use std::sync::Arc;

use contracts::topology::{Exchange, Topic};
use database::{Answers, Sessions};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::args::MessagingArgs;
use crate::consume::{ConsumeMetrics, Consuming, Holds, RetryPolicy};
use crate::controls::Controls;
use crate::handler::Tx;
use crate::kafka::{Kafka, KafkaPublisher, ProgressWatch, keep_topics};
use crate::outbox::{Handovers, Leases, OutboxMetrics, Pressure, Publish, PublishSpans, Relay};
use crate::rabbitmq::{ConfirmChannel, OutboxPublisher, QueueConsumer, RabbitMq};
use crate::refusals::Refusals;
use crate::transport::Transport;

pub use removal::{OldRows, Removal, RemovalQuery, RemoveOld};
pub use topic::TopicConsumer;

/// One service's access to both brokers; cheap to clone.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    args: MessagingArgs,
    rabbitmq: RabbitMq,
    kafka: Kafka,
    refusals: Arc<Refusals>,
    answers: Answers,
    leases: Arc<Leases>,
    outbox_metrics: Arc<OutboxMetrics>,
    publish_spans: PublishSpans,
    consuming: Consuming,
}

impl Bus {
    /// Prepares access for `service`. Nothing is
    /// connected yet: the brokers may be away now and at any time later.
    ///
    /// # Errors
    ///
    /// When an address cannot be parsed, or something is to be broken where that is not allowed.
    pub fn new(service: &'static str, args: MessagingArgs, pool: PgPool) -> anyhow::Result<Self> {
        args.demo.apply()?;
        let metrics = Arc::<ConsumeMetrics>::default();
        let consuming = Consuming {
            service,
            sessions: Sessions::new(pool.clone()),
            pool,
            handovers: Arc::new(Handovers::new()),
            pressure: Arc::new(Pressure::new(args.limits)),
            policy: RetryPolicy::new(&args.retry_delays),
            holds: Arc::new(Holds::new(Arc::clone(&metrics))),
            metrics,
            spans: Default::default(),
            controls: Arc::new(Controls::new(service)),
        };
        let refusals = Arc::<Refusals>::default();
        let answers = Answers::default();
        let pool = consuming.pool.clone();
        let inner = Inner {
            rabbitmq: RabbitMq::new(&args.amqp_url, service, Arc::clone(&refusals))?,
            kafka: Kafka::new(&args.kafka, service, Arc::clone(&refusals)),
            refusals,
            leases: Leases::new(pool, args.outbox_poll, answers.clone()),
            answers,
            outbox_metrics: Arc::default(),
            publish_spans: PublishSpans::default(),
            consuming,
            args,
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
        let Consuming {
            sessions,
            handovers,
            ..
        } = &self.inner.consuming;
        Tx::begin(sessions, handovers).await
    }

    /// Whether so much waits to be published that new work should be refused, as of a few seconds
    /// ago, or the database could not say for 15 seconds. Measured by [`housekeeping`](Self::housekeeping), so that
    /// asking costs nothing. Consumers whose handlers publish something hold their messages meanwhile.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.inner.consuming.pressure.is_full()
    }

    /// What a consumer would be given, for `testing`.
    #[cfg(feature = "testing")]
    pub(crate) fn consuming(&self) -> &Consuming {
        &self.inner.consuming
    }

    /// Consumes a queue of this service.
    pub fn queue(&self, queue: &'static str) -> QueueConsumer {
        let Inner {
            rabbitmq,
            consuming,
            ..
        } = &*self.inner;
        QueueConsumer::new(rabbitmq.clone(), consuming.clone(), queue)
    }

    /// Looks at how far consumer groups have come in these topics, of all services.
    pub fn progress_watch<T: Into<Vec<Topic>>>(&self, topics: T) -> ProgressWatch {
        ProgressWatch::new(self.inner.kafka.clone(), topics.into())
    }

    /// Publishes what this service has written for RabbitMQ, until stopped. Declares the
    /// `exchanges` that it publishes to. The broker and the database may come and go.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub fn rabbitmq_relay<E: Into<Vec<Exchange>>>(
        &self,
        exchanges: E,
        token: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<E> {
        let publisher = OutboxPublisher {
            channel: ConfirmChannel::new(self.inner.rabbitmq.clone(), exchanges.into()),
            source: self.source(),
            spans: self.inner.publish_spans.clone(),
        };
        self.relay(Transport::RabbitMq, publisher).run(token)
    }

    /// Publishes what this service has written for Kafka, until stopped. Creates the `topics`
    /// that it owns, and keeps them as they are wanted. The broker and the database may come and go.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub fn kafka_relay<T: Into<Vec<Topic>>>(
        &self,
        topics: T,
        token: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<T> {
        let (kafka, topics) = (self.inner.kafka.clone(), topics.into());
        let publisher = KafkaPublisher::new(
            kafka.clone(),
            topics.clone(),
            self.source(),
            self.inner.publish_spans.clone(),
        );
        let relay = self.relay(Transport::Kafka, publisher);
        async move {
            let keeping = keep_topics(&kafka, &topics, &token);
            tokio::join!(relay.run(token.clone()), keeping).0
        }
    }

    /// The CloudEvents `source` of everything this service publishes.
    fn source(&self) -> String {
        format!("/spillway/{}", self.inner.consuming.service)
    }

    fn relay<P: Publish>(&self, transport: Transport, publisher: P) -> Relay<P> {
        let Consuming {
            pool, handovers, ..
        } = &self.inner.consuming;
        Relay {
            pool: pool.clone(),
            transport,
            publisher,
            handover: Arc::clone(handovers.of(transport)),
            leases: Arc::clone(&self.inner.leases),
            metrics: Arc::clone(&self.inner.outbox_metrics),
            refused: Default::default(),
        }
    }
}
