use std::pin::pin;
use std::time::{Duration, Instant};

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

/// In a flood so many times as much is gathered: what happens to one order within that time comes together.
const OF_A_FLOOD: u32 = 3;

/// From so many records a second on it is a flood, and from so many in one batch.
const FLOOD: f64 = 500.0;
const MANY: usize = 100;

/// How long after a batch the next one is taken, whoever wants to go first. Meanwhile nobody can join the group. To handle
/// the batch is part of that time, so that both together never take longer than a member of the group may be silent.
pub(super) const WAY: Duration = Duration::from_secs(4);

/// How often it is asked whether they still want to.
const ASKING: Duration = Duration::from_millis(100);

/// Says whether others want to go first.
pub(super) type Others = Box<dyn Fn() -> bool + Send + Sync>;

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

/// Whether records come as a flood, by the batch that was taken last.
#[derive(Debug, Default)]
pub(super) struct Flood {
    last: Option<Instant>,
    rises: bool,
}

impl Flood {
    /// A batch of so many was taken now.
    pub(super) fn took(&mut self, count: usize, now: Instant) {
        let since = self.last.replace(now).map(|last| now - last);
        let rate = since.map(|since| count as f64 / since.as_secs_f64());
        self.rises = count >= MANY && rate.is_some_and(|rate| rate >= FLOOD);
    }

    /// How long the next one is filled, where the broker gathers for this time.
    pub(super) fn filling(&self, time: Duration) -> Duration {
        match self.rises {
            true => time * OF_A_FLOOD,
            false => time / PARTITIONS,
        }
    }
}

/// When a batch is no longer waited for: at once, unless records are gathered. A stop or a pause ends it.
pub(super) async fn gathered(time: Duration, controls: &Controls, token: &CancellationToken) {
    if time.is_zero() {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = controls.until_paused() => {}
        () = token.cancelled() => {}
    }
}

/// Lets others go first while they want to, but only until this moment. A stop or a pause ends it.
pub(super) async fn give_way(
    others: &(dyn Fn() -> bool + Send + Sync),
    over: Instant,
    controls: &Controls,
    token: &CancellationToken,
) {
    while others() && Instant::now() < over {
        tokio::select! {
            biased;
            () = token.cancelled() => return,
            () = controls.until_paused() => return,
            () = tokio::time::sleep(ASKING) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const TIME: Duration = Duration::from_millis(250);

    /// How long is filled after batches of so many, so many milliseconds apart.
    fn after(batches: &[(usize, u64)]) -> Duration {
        let (mut flood, mut now) = (Flood::default(), Instant::now());
        for &(count, pause) in batches {
            now += Duration::from_millis(pause);
            flood.took(count, now);
        }
        flood.filling(TIME)
    }

    #[test]
    fn a_flood_is_many_records_in_little_time() {
        let (short, long) = (TIME / PARTITIONS, TIME * OF_A_FLOOD);
        let cases: [(&[(usize, u64)], Duration); 7] = [
            (&[], short),
            (&[(1_000, 0)], short),
            (&[(1_000, 0), (1_000, 50)], long),
            (&[(150, 0), (150, 290)], long),
            (&[(150, 0), (150, 310)], short),
            // A few that come one right behind the other are no flood.
            (&[(5, 0), (99, 1)], short),
            (&[(1_000, 0), (1_000, 50), (3, 250)], short),
        ];
        for (batches, expected) in cases {
            assert_eq!(after(batches), expected, "{batches:?}");
        }
    }

    #[test]
    fn what_is_not_gathered_is_not_filled_either() {
        let mut flood = Flood::default();
        for _ in 0..2 {
            assert_eq!(flood.filling(Duration::ZERO), Duration::ZERO);
            flood.took(1_000, Instant::now());
        }
    }

    /// How often others are asked whether they want to go first, who want to so often.
    async fn asked(wanting: usize, longest: Duration, token: &CancellationToken) -> usize {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let others = move || counted.fetch_add(1, Ordering::Relaxed) < wanting;
        let over = Instant::now() + longest;
        give_way(&others, over, &Controls::new("console"), token).await;
        asked.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn others_go_first_while_they_want_to_but_not_for_ever() {
        let (token, long, short) = (CancellationToken::new(), 600 * ASKING, 3 * ASKING);
        assert_eq!(asked(0, long, &token).await, 1);
        assert_eq!(asked(2, long, &token).await, 3);
        let began = Instant::now();
        assert!(asked(usize::MAX, short, &token).await <= 4);
        assert!(began.elapsed() >= short);
        // The batch has taken all of the time.
        assert_eq!(asked(usize::MAX, Duration::ZERO, &token).await, 1);
    }

    #[tokio::test]
    async fn whoever_stops_waits_for_nobody() {
        let token = CancellationToken::new();
        token.cancel();
        assert_eq!(asked(usize::MAX, 600 * ASKING, &token).await, 1);
    }
}
