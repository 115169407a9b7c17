//! An AsyncAPI document while it is written.

use contracts::topology::{Exchange, Topic};
use serde_json::{Map, Value, json};

#[derive(Default)]
pub(crate) struct Document {
    pub(crate) channels: Map<String, Value>,
    pub(crate) operations: Map<String, Value>,
}

impl Document {
    pub(crate) fn routing_key(
        &mut self,
        exchange: Exchange,
        key: &str,
        messages: &[&str],
        sender: &str,
    ) {
        let binding = routed_by(exchange);
        let id = format!("{}:{key}", exchange.name);
        self.channel(&id, key, "rabbitmq", messages, &binding);
        self.operation(sender, "send", &id);
    }

    /// An exchange from which each receiver has whatever is said, whatever the routing key.
    pub(crate) fn fanout(
        &mut self,
        exchange: Exchange,
        messages: &[&str],
        sender: &str,
        receivers: &[&str],
    ) {
        let (name, binding) = (exchange.name, routed_by(exchange));
        self.channel(name, name, "rabbitmq", messages, &binding);
        self.operation(sender, "send", name);
        for receiver in receivers {
            self.operation(receiver, "receive", name);
        }
    }

    pub(crate) fn queue(&mut self, queue: &str, messages: &[&str], receiver: &str) {
        let binding = json!({ "amqp": {
            "is": "queue",
            "queue": { "name": queue, "durable": true, "exclusive": false, "autoDelete": false, "vhost": "spillway" },
        }});
        self.channel(queue, queue, "rabbitmq", messages, &binding);
        self.operation(receiver, "receive", queue);
    }

    pub(crate) fn topic(
        &mut self,
        topic: Topic,
        messages: &[&str],
        sender: &str,
        receivers: &[&str],
    ) {
        let cleanup = if topic.compacted { "compact" } else { "delete" };
        let binding = json!({ "kafka": {
            "topic": topic.name,
            "partitions": topic.partitions,
            "topicConfiguration": { "cleanup.policy": [cleanup] },
        }});
        self.channel(topic.name, topic.name, "kafka", messages, &binding);
        self.operation(sender, "send", topic.name);
        for receiver in receivers {
            self.operation(receiver, "receive", topic.name);
        }
    }

    fn channel(
        &mut self,
        id: &str,
        address: &str,
        server: &str,
        messages: &[&str],
        bindings: &Value,
    ) {
        let messages: Map<String, Value> = messages
            .iter()
            .map(|name| {
                (
                    (*name).to_owned(),
                    json!({ "$ref": format!("#/components/messages/{name}") }),
                )
            })
            .collect();
        let parameters: Map<String, Value> = address
            .split('.')
            .filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| (name.to_owned(), json!({})))
            .collect();
        let mut channel = json!({
            "address": address,
            "servers": [{ "$ref": format!("#/servers/{server}") }],
            "messages": messages,
            "bindings": bindings,
        });
        if !parameters.is_empty() {
            channel["parameters"] = parameters.into();
        }
        self.channels.insert(pointer(id), channel);
    }

    fn operation(&mut self, service: &str, action: &str, channel: &str) {
        let operation = json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{}", pointer(channel)) },
        });
        self.operations.insert(
            format!("{service}-{action}-{}", pointer(channel)),
            operation,
        );
    }
}

fn routed_by(exchange: Exchange) -> Value {
    let kind = format!("{:?}", exchange.kind).to_lowercase();
    json!({ "amqp": {
        "is": "routingKey",
        "exchange": { "name": exchange.name, "type": kind, "durable": true, "vhost": "spillway" },
    }})
}

/// A name that needs no escaping in a reference.
fn pointer(id: &str) -> String {
    id.chars()
        .filter(|c| !"{}".contains(*c))
        .map(|c| if c == ':' { '.' } else { c })
        .collect()
}
