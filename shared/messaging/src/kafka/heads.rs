use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::progress::Head;

/// How long the first records of a topic are waited for. What has not come by then is unknown this time.
const PATIENCE: Duration = Duration::from_millis(300);

/// Reads the records for which partitions wait, each only once.
pub(super) struct Heads {
    reader: BaseConsumer,
    /// By group and partition; what is no head any more is forgotten.
    known: BTreeMap<(String, i32), (i64, Head)>,
}

impl Heads {
    pub(super) fn new(reader: BaseConsumer) -> Self {
        Self {
            reader,
            known: BTreeMap::new(),
        }
    }

    /// The record at each of these offsets, which stand at the place of their partition. A group reads one
    /// topic.
    pub(super) fn read(
        &mut self,
        group: &str,
        topic: &str,
        offsets: &[Option<i64>],
    ) -> anyhow::Result<Vec<Option<Head>>> {
        let places: Vec<_> = (0..).zip(offsets).collect();
        let mut wanted = TopicPartitionList::new();
        for (partition, offset) in &places {
            if let Some(offset) = offset
                && self.head(group, *partition, *offset).is_none()
            {
                wanted.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
            }
        }
        if wanted.count() > 0 {
            self.fetch(group, topic, &wanted)?;
        }
        let heads = places.into_iter();
        Ok(heads
            .map(|(partition, offset)| self.head(group, partition, (*offset)?).cloned())
            .collect())
    }

    fn fetch(
        &mut self,
        group: &str,
        topic: &str,
        wanted: &TopicPartitionList,
    ) -> anyhow::Result<()> {
        self.reader.assign(wanted)?;
        let started = Instant::now();
        let mut missing = wanted.count();
        while missing > 0
            && let Some(left) = PATIENCE.checked_sub(started.elapsed())
        {
            let Some(Ok(record)) = self.reader.poll(left) else {
                continue;
            };
            // What was fetched for the topic before may still come.
            if record.topic() != topic {
                continue;
            }
            let key = (group.to_owned(), record.partition());
            let Some(element) = wanted.find_partition(topic, record.partition()) else {
                continue;
            };
            // Compaction removes records, so the first that is left may stand behind the offset.
            let Offset::Offset(offset) = element.offset() else {
                continue;
            };
            let is_known = self.known.get(&key).is_some_and(|(of, _)| *of == offset);
            if is_known || record.offset() < offset {
                continue;
            }
            let time = record.timestamp().to_millis().unwrap_or_default();
            let head = Head {
                time: Timestamp::from_millisecond(time).unwrap_or_default(),
                key: (record.key()).and_then(|key| String::from_utf8(key.to_vec()).ok()),
            };
            self.known.insert(key, (offset, head));
            missing -= 1;
        }
        self.reader.unassign()?;
        Ok(())
    }

    fn head(&self, group: &str, partition: i32, offset: i64) -> Option<&Head> {
        let (of, head) = self.known.get(&(group.to_owned(), partition))?;
        (*of == offset).then_some(head)
    }
}
