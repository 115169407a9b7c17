//! Direct, topic and fanout exchange side by side: `cargo run -p first-programs --example routing`

mod rabbitmq;

use anyhow::Result;
use lapin::{BasicProperties, ExchangeKind, options::*, types::FieldTable};
use rabbitmq::{declare, publish};
use uuid::Uuid;

/// Every exchange gets a message with each of these routing keys.
const SENT: [&str; 4] = ["email.paid.vip", "email.paid", "sms.paid.vip", "sms.paid"];

#[tokio::main]
async fn main() -> Result<()> {
    let (connection, channel) = rabbitmq::connect().await?;
    println!("sent to every exchange: {}", SENT.join(", "));

    let bindings = [
        // The routing key has to be the binding key.
        (ExchangeKind::Direct, "sms.paid"),
        // Words between dots: `*` is exactly one, `#` any number of them, also none.
        (ExchangeKind::Topic, "email.*"),
        (ExchangeKind::Topic, "email.#"),
        (ExchangeKind::Topic, "*.*.vip"),
        // Whatever the key is: everybody who listens gets a copy.
        (ExchangeKind::Fanout, ""),
    ];
    for (kind, binding) in bindings {
        let label = format!("{kind:?}").to_lowercase();
        let (exchange, none) = (format!("routing.{}", Uuid::now_v7()), FieldTable::default());
        // It disappears with its last binding, and a binding with its queue.
        let options = ExchangeDeclareOptions {
            auto_delete: true,
            ..Default::default()
        };
        channel
            .exchange_declare(exchange.clone().into(), kind, options, none.clone())
            .await?;
        // The producer knows the exchange only. Who listens to what is the consumers' business.
        let queue = declare(&channel, "", []).await?;
        let (from, key) = (exchange.clone().into(), binding.into());
        channel
            .queue_bind(
                queue.as_str().into(),
                from,
                key,
                QueueBindOptions::default(),
                none,
            )
            .await?;

        // What no binding wants is dropped, and confirmed all the same. A producer who needs to know
        // sets the flag `mandatory` and gets it back.
        for key in SENT {
            publish(&channel, &exchange, key, "paid", BasicProperties::default()).await?;
        }
        let mut delivered = Vec::new();
        let no_ack = BasicGetOptions { no_ack: true };
        while let Some(message) = channel.basic_get(queue.as_str().into(), no_ack).await? {
            delivered.push(message.routing_key.to_string());
        }
        println!("{label:<6} '{binding}': {}", delivered.join(", "));
    }
    connection.close(200, "done".into()).await?;
    Ok(())
}
