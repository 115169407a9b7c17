use std::time::Duration;

use messaging::ProgressWatch;
use tokio_util::sync::CancellationToken;

use super::Statistics;
use super::metrics::TopicMetrics;
use super::rest::Rest;
use crate::pace::every;

const INTERVAL: Duration = Duration::from_secs(1);

/// Looks at the topics once a second while somebody watches, and otherwise every five seconds, until stopped. Kafka may
/// come and go.
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
    let (mut rest, mut has_rested) = (Rest::default(), false);
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let is_watched = statistics.known().is_watched();
        if rest.goes_on(is_watched) {
            has_rested = true;
            continue;
        }
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
                rest.begin();
            }
            // The last answer is old by now, and Kafka is asked again in a second: that decides.
            Err(_) if has_rested => {}
            Err(error) => known.kafka.failed(now, &error),
        }
        has_rested = false;
    }
    Ok(())
}
