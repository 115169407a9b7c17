use std::time::Duration;

use messaging::ProgressWatch;
use tokio_util::sync::CancellationToken;

use super::Statistics;
use super::metrics::TopicMetrics;
use crate::pace::every;

const INTERVAL: Duration = Duration::from_secs(1);

/// Looks at the topics once a second, until stopped. Kafka may come and go.
///
/// # Errors
///
/// None; it is a `Result` because that is what the life cycle of a process wants of a task.
pub async fn watch_kafka(
    watch: ProgressWatch,
    statistics: Statistics,
    token: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = TopicMetrics::default();
    let mut tick = every(INTERVAL);
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let Some(looked) = token.run_until_cancelled(watch.look()).await else {
            break;
        };
        let mut known = statistics.known();
        let now = known.clock.now();
        match looked {
            Ok(topics) => {
                known.kafka.answered(now);
                known.topics.observe(now, topics);
                metrics.seen(&known.topics);
            }
            Err(error) => known.kafka.failed(now, &error),
        }
    }
    Ok(())
}
