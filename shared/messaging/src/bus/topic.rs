use std::sync::Arc;
use std::time::Duration;

use contracts::topology::Topic;
use tokio_util::sync::CancellationToken;

use super::{Bus, Inner};
use crate::handler::{BatchHandler, Position};
use crate::kafka::RecordConsumer;
use crate::letters::replays_of;
use crate::rabbitmq::{DeadLetterExchange, QueueConsumer};

/// Consumes a topic, and from a queue of its own what is replayed to this consumer alone: built by
/// [`Bus::topic`].
#[must_use = "a consumer does nothing until `run`"]
pub struct TopicConsumer {
    records: RecordConsumer,
    /// None if it only looks: then nothing of it becomes a dead letter.
    replays: Option<QueueConsumer>,
}

impl Bus {
    /// Consumes a topic, as part of a consumer group named `<service>.<topic>`, and the queue
    /// `<service>.<topic>.replays`.
    pub fn topic(&self, topic: Topic) -> TopicConsumer {
        let Inner {
            rabbitmq,
            kafka,
            consuming,
            ..
        } = &*self.inner;
        let dead_letters = Box::new(DeadLetterExchange::new(rabbitmq.clone()));
        let records = RecordConsumer::new(kafka.clone(), consuming.clone(), dead_letters, topic);
        // Names of destinations live as long as the process, as do consumers.
        let queue = replays_of(consuming.service, topic.name).leak();
        TopicConsumer {
            records,
            replays: Some(self.queue(queue)),
        }
    }
}

impl TopicConsumer {
    /// At most so many messages share a transaction. Where many come, those of [20 to 60 ms](crate::Pace) do; a few never
    /// wait for a batch to fill, unless records are [gathered](Self::gathering).
    pub fn batch(self, messages: u16) -> Self {
        Self {
            records: self.records.batch(messages.into()),
            replays: self.replays.map(|replays| replays.batch(messages)),
        }
    }

    /// Nobody waits for what is in the topic: for so long the broker collects records before it hands them out, and
    /// a fifth of that the consumer waits for those of other partitions. So there are fewer answers of the broker,
    /// and fewer and larger batches. In a flood the consumer waits three times as long, unless the batch is full
    /// before. Less than the nine seconds for which an answer is waited for.
    pub fn gathering(self, time: Duration) -> Self {
        Self {
            records: self.records.gathering(time),
            ..self
        }
    }

    /// While this says that others should go first, the next batch is taken no sooner than four seconds after the last
    /// one, however much waits. It stays in the topic meanwhile.
    pub fn giving_way(self, others: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            records: self.records.giving_way(Box::new(others)),
            ..self
        }
    }

    /// To handle a message again, at any time and also beside another instance that does, leaves what is there as it
    /// is. So nobody remembers what was handled, which saves a row of the inbox for each message.
    pub fn repeatable(self) -> Self {
        Self {
            records: self.records.repeatable(),
            ..self
        }
    }

    /// Handling a message again is harmless, so a database that has never read the topic, such as one that was
    /// dropped and created anew, reads it from its beginning, whatever its group has committed.
    pub fn reading_all(self) -> Self {
        Self {
            records: self.records.reading_all(),
            ..self
        }
    }

    /// Only looks at what others are there to handle: a record that cannot be decoded is passed over, and
    /// `notice` is told its place and the reason. Those for whom it is make a dead letter of it.
    pub fn observing(self, notice: impl Fn(Position, &str) + Send + Sync + 'static) -> Self {
        Self {
            records: self.records.observing(Box::new(notice)),
            replays: None,
        }
    }

    /// Handles messages until stopped, those of one partition strictly in order.
    ///
    /// An offset is stored after the commit of its handler. A message that fails holds its
    /// partition, and only that, for each of the configured pauses; after the last it becomes a
    /// dead letter and the partition goes on. A replayed message has no partition and holds up nothing.
    ///
    /// # Errors
    ///
    /// When the client cannot be set up; never because a broker is away.
    pub async fn run<H: BatchHandler>(
        self,
        handler_name: &'static str,
        handler: H,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let handler = Arc::new(handler);
        let replays = async {
            match self.replays {
                Some(replays) => {
                    let (handler, token) = (Arc::clone(&handler), token.clone());
                    replays.run(handler_name, handler, token).await
                }
                None => Ok(()),
            }
        };
        let handler = Arc::clone(&handler);
        let records = self.records.run(handler_name, handler, token.clone());
        tokio::try_join!(records, replays).map(|_| ())
    }
}
