use rdkafka::consumer::StreamConsumer;
use rdkafka::message::Message;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::partitions::Partitions;
use super::session::Session;
use super::watchdog::Watchdog;
use crate::consume::Stopped;

impl<H> Session<H> {
    /// Takes nothing until that may be done again, and keeps its place in the group: it goes on asking the
    /// broker, and the watchdog goes on looking whether that answers.
    ///
    /// The error says that the consumer was stopped or has to be replaced.
    pub(super) async fn pause(
        &mut self,
        consumer: &StreamConsumer<Watchdog>,
        partitions: &mut Partitions<'_>,
        watchdog: &Watchdog,
        token: &CancellationToken,
    ) -> Result<(), Stopped> {
        let topic = self.topic;
        watchdog.leave_messages(true);
        partitions.pause_all();
        loop {
            tokio::select! {
                biased;
                () = token.cancelled() => return Err(Stopped),
                () = self.consuming.controls.until_resumed() => break,
                () = watchdog.stuck() => {
                    warn!(topic, "paused consumer of topic {topic} has lost its group, replacing it");
                    return Err(Stopped);
                }
                record = consumer.recv() => if let Ok(record) = record {
                    partitions.put_back(record.partition(), record.offset());
                }
            }
        }
        watchdog.leave_messages(false);
        partitions.resume_all();
        Ok(())
    }
}
