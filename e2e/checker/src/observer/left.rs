//! What is left in queues where nothing moves any more, and with whom it is.

use anyhow::Result;
use harness::Management;
use reqwest::Method;
use serde_json::Value;

/// A line for every queue that is not empty, and one for each of its consumers: a consumer that holds as much as it
/// may and belongs to nobody at work says why nothing moves.
pub(super) async fn left(rabbitmq: &Management) -> Result<Vec<String>> {
    let list = async |path: String| -> Result<Vec<Value>> {
        rabbitmq.call(Method::GET, &path, None).await
    };
    let vhost = rabbitmq.vhost();
    let columns = "name,messages,messages_unacknowledged,leader,online";
    let queues = list(format!("queues/{vhost}?columns={columns}")).await?;
    let consumers = list(format!("consumers/{vhost}")).await?;
    let channels = list(format!("vhosts/{vhost}/channels")).await?;
    Ok(describe(&queues, &consumers, &channels))
}

fn describe(queues: &[Value], consumers: &[Value], channels: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    let is_left = |queue: &&Value| queue["messages"].as_i64() != Some(0);
    for queue in queues.iter().filter(is_left) {
        lines.push(format!(
            "queue {}: {} messages, {} of them with consumers; leader {}, replicas on {}",
            queue["name"],
            queue["messages"],
            queue["messages_unacknowledged"],
            queue["leader"],
            queue["online"]
        ));
        let its_own = |consumer: &&Value| consumer["queue"]["name"] == queue["name"];
        for consumer in consumers.iter().filter(its_own) {
            let details = &consumer["channel_details"];
            let channel = channels.iter().find(|one| one["name"] == details["name"]);
            let holds = channel.map_or(Value::Null, |one| one["messages_unacknowledged"].clone());
            lines.push(format!(
                "  consumer of {} on {}, channel {}: holds {holds} and may hold {}",
                details["user"], details["node"], details["name"], consumer["prefetch_count"]
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_queue_that_is_not_empty_is_named_with_who_holds_its_messages() {
        let queues = [
            json!({"name": "empty", "messages": 0}),
            json!({"name": "full", "messages": 200, "messages_unacknowledged": 199, "leader": "a", "online": ["a", "b"]}),
            json!({"name": "not counted"}),
        ];
        let consumer = |queue: &str, channel: &str| {
            let details = json!({"name": channel, "node": "b", "user": "u"});
            json!({"queue": {"name": queue}, "prefetch_count": 200, "channel_details": details})
        };
        let consumers = [
            consumer("empty", "0"),
            consumer("full", "1"),
            consumer("full", "2"),
        ];
        let channels = [json!({"name": "1", "messages_unacknowledged": 199})];

        assert_eq!(
            describe(&queues, &consumers, &channels),
            [
                r#"queue "full": 200 messages, 199 of them with consumers; leader "a", replicas on ["a","b"]"#,
                r#"  consumer of "u" on "b", channel "1": holds 199 and may hold 200"#,
                r#"  consumer of "u" on "b", channel "2": holds null and may hold 200"#,
                r#"queue "not counted": null messages, null of them with consumers; leader null, replicas on null"#,
            ]
        );
    }
}
