//! Whoever replays a message learns whether that had an effect, and what is counted has happened. This is a process of
//! its own, because its spans are recorded and its metrics read.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use contracts::Message as _;
use messaging::Replay;
use opentelemetry::global;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use rdkafka::admin::AdminOptions;
use rdkafka::{Offset, TopicPartitionList};
use sqlx::PgPool;
use uuid::Uuid;

#[path = "it/common/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the other tests use the rest")]
mod common;

use common::{Parcel, QUEUE, Stage, TopicOfTest, cloud_event, parcel, record_all};

#[sqlx::test(migrations = false)]
async fn the_span_of_a_replay_says_whether_its_message_was_handled_before(
    pool: PgPool,
) -> anyhow::Result<()> {
    let ended = Ended::default();
    let provider = SdkTracerProvider::builder();
    let provider = provider.with_simple_exporter(ended.clone()).build();
    global::set_tracer_provider(provider);
    global::set_text_map_propagator(TraceContextPropagator::new());

    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let [known, new] = [Uuid::now_v7(), Uuid::now_v7()].map(|id| id.to_string());
    let first = serde_json::to_vec(&parcel("alice", 1))?;
    let second = serde_json::to_vec(&parcel("alice", 2))?;
    let event = cloud_event(&known, Parcel::TYPE);
    stage.rabbitmq.send(QUEUE, event, &first).await?;
    stage.numbers_after(1).await?;

    let replays = [replay(&known, &first), replay(&new, &second)];
    for published in stage.bus.replayer().publish(&replays).await? {
        assert_eq!(published, Ok(()));
    }
    common::eventually("both have a span", async || {
        let told = [&known, &new].map(|id| ended.says_of(id));
        Ok((told == [Some(true), Some(false)]).then_some(()))
    })
    .await?;
    assert_eq!(stage.numbers_after(2).await?, [1, 2]);
    stage.end().await
}

/// The message is delivered twice, because its connection is lost while the dead letter has nowhere to go.
#[sqlx::test(migrations = false)]
async fn a_dead_letter_is_counted_once_however_often_its_message_is_delivered(
    pool: PgPool,
) -> anyhow::Result<()> {
    let meters = &*METERS;
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run(COUNTED, record_all(), token));
    let first = stage.rabbitmq.consumer_tag(QUEUE).await?;
    stage.rabbitmq.remove("queues/VHOST/dead-letters").await?;
    let event = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
    stage.rabbitmq.send(QUEUE, event, b"garbage").await?;
    common::eventually("the message is delivered", async || {
        Ok((stage.rabbitmq.size(QUEUE).await? == 0).then_some(()))
    })
    .await?;
    stage.rabbitmq.close_connections("(consume)").await?;
    common::eventually("another subscription", async || {
        Ok((stage.rabbitmq.consumer_tag(QUEUE).await? != first).then_some(()))
    })
    .await?;

    stage.rabbitmq.keep_dead_letters().await?;
    let letter = stage.rabbitmq.dead_letter().await?;
    assert_eq!(letter.delivery.data, b"garbage");
    let letters = common::eventually("it is counted", async || {
        let letters = meters.count("spillway.dead_letters", COUNTED)?;
        Ok((letters > 0).then_some(letters))
    })
    .await?;
    assert_eq!(letters, 1);
    stage.end().await
}

/// The records that a reader missed are gone before it is back.
#[sqlx::test(migrations = false)]
async fn a_reader_whose_place_is_gone_from_the_log_is_counted(pool: PgPool) -> anyhow::Result<()> {
    let meters = &*METERS;
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let to_topic = |number| parcel("alice", number).via_topic(topic.topic);
    stage.start(|token| stage.bus.kafka_relay([topic.topic], token));
    let consumer = stage.bus.topic(topic.topic);
    let reader = stage.start(|token| consumer.run("read", record_all(), token));
    stage.publish([to_topic(1)]).await?;
    stage.numbers_after(1).await?;
    reader.stop().await?;
    stage.publish([to_topic(2), to_topic(3)]).await?;
    stage.until_the_outbox_is_empty().await?;
    forget_before(&topic, 2).await?;

    let consumer = stage.bus.topic(topic.topic);
    stage.start(|token| consumer.run("read", record_all(), token));
    assert_eq!(stage.numbers_after(2).await?, [1, 3]);
    common::eventually("it is counted", async || {
        let resets = meters.count("spillway.consumer.offset_resets", topic.topic.name)?;
        Ok((resets > 0).then_some(()))
    })
    .await?;
    stage.end().await
}

/// Has the broker delete all records of the first partition before this offset, as retention does.
async fn forget_before(topic: &TopicOfTest, offset: i64) -> anyhow::Result<()> {
    let mut first = TopicPartitionList::new();
    first.add_partition_offset(topic.topic.name, 0, Offset::Offset(offset))?;
    let admin = topic.admin()?;
    let forgotten = admin.delete_records(&first, &AdminOptions::new()).await?;
    for element in forgotten.elements() {
        element.error()?;
    }
    Ok(())
}

fn replay(message_id: &str, body: &[u8]) -> Replay {
    Replay {
        letter: Uuid::now_v7(),
        doubt: None,
        queue: QUEUE.to_owned(),
        message_id: message_id.to_owned(),
        message_type: Parcel::TYPE.to_owned(),
        written: None,
        source: None,
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        body: body.to_vec(),
    }
}

/// Spans that have ended.
#[derive(Debug, Clone, Default)]
struct Ended(Arc<Mutex<Vec<SpanData>>>);

impl Ended {
    /// Whether the message is called a duplicate; nothing while no span tells of its handling.
    fn says_of(&self, message_id: &str) -> Option<bool> {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has = |span: &SpanData, key: &str, value: &str| {
            let mut attributes = span.attributes.iter();
            attributes.any(|one| one.key.as_str() == key && one.value.as_str() == value)
        };
        let mut handled = ended
            .iter()
            .filter(|span| span.name.starts_with("process "));
        let span = handled.find(|span| has(span, "messaging.message.id", message_id))?;
        Some(has(span, "spillway.inbox.duplicate", "true"))
    }
}

impl SpanExporter for Ended {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.extend(batch);
        Ok(())
    }
}

/// The handler whose dead letters are counted.
const COUNTED: &str = "count";

/// Of the whole process: a test takes them before it makes a bus.
static METERS: LazyLock<Meters> = LazyLock::new(|| {
    let counts = Counts::default();
    let reader = PeriodicReader::builder(counts.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    global::set_meter_provider(provider.clone());
    Meters { counts, provider }
});

struct Meters {
    counts: Counts,
    provider: SdkMeterProvider,
}

impl Meters {
    /// What a counter says of whatever has this for a label.
    fn count(&self, counter: &str, label: &str) -> anyhow::Result<u64> {
        self.provider.force_flush()?;
        let counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (counter.to_owned(), label.to_owned());
        Ok(counts.get(&key).copied().unwrap_or_default())
    }
}

/// All counters as of the last export, by name and label.
#[derive(Debug, Clone, Default)]
struct Counts(Arc<Mutex<HashMap<(String, String), u64>>>);

impl PushMetricExporter for Counts {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut counts = HashMap::<(String, String), u64>::new();
        for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
            let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else {
                continue;
            };
            for point in sum.data_points() {
                for label in point.attributes() {
                    let key = (metric.name().to_owned(), label.value.as_str().into_owned());
                    *counts.entry(key).or_default() += point.value();
                }
            }
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}
