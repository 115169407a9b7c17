use std::pin::pin;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::StreamConsumer;
use rdkafka::message::BorrowedMessage;
use tokio_util::sync::CancellationToken;

use super::watchdog::Watchdog;
use crate::controls::Controls;

/// The broker answers earlier when so many bytes wait.
const ENOUGH: &str = "524288";

/// It hands out so many of each partition.
const PORTION: &str = "131072";

/// What one answer of the broker brings comes partition by partition: so much of the time is left for it.
const PARTITIONS: u32 = 5;

/// Has the broker collect records for so long before it answers. What is fetched ahead is less than elsewhere,
/// since nobody waits for it.
pub(super) fn have_gathered(config: &mut ClientConfig, time: Duration) {
    config
        .set("fetch.wait.max.ms", time.as_millis().to_string())
        .set("fetch.min.bytes", ENOUGH)
        .set("fetch.message.max.bytes", PORTION)
        .set("queued.max.messages.kbytes", "1024");
}

/// A batch with so many bytes takes no more. With it waits what the broker has sent ahead, which is limited as well.
const LARGEST_BATCH: usize = 4 * 1024 * 1024;

/// Fills a batch with the records that are there, and those that come until it is `over`.
pub(super) async fn fill<'c>(
    consumer: &'c StreamConsumer<Watchdog>,
    batch: &mut Vec<BorrowedMessage<'c>>,
    limit: usize,
    over: impl Future<Output = ()>,
) {
    let mut over = pin!(over);
    let length = |record: &BorrowedMessage<'_>| record.payload_len();
    let mut bytes: usize = batch.iter().map(length).sum();
    while batch.len() < limit && bytes < LARGEST_BATCH {
        let record = tokio::select! {
            biased;
            record = consumer.recv() => record,
            () = &mut over => return,
        };
        match record {
            Ok(record) => {
                bytes += length(&record);
                batch.push(record);
            }
            // For information, as ever: librdkafka reconnects by itself.
            Err(_) => return,
        }
    }
}

/// When a batch is no longer waited for: at once, unless records are gathered. A stop or a pause ends it.
pub(super) async fn gathered(time: Duration, controls: &Controls, token: &CancellationToken) {
    if time.is_zero() {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep(time / PARTITIONS) => {}
        () = controls.until_paused() => {}
        () = token.cancelled() => {}
    }
}
