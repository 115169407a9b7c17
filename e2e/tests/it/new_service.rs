//! A service that does not exist yet, with what CONTRIBUTING.md says that it needs at RabbitMQ.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Management, Stack, eventually, setting};
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, BasicRejectOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties, ExchangeKind};
use reqwest::Method;
use serde_json::{Value, json};

const SERVICE: &str = "shipping";
const QUEUE: &str = "shipping.parcels";
const DELAY: &str = "shipping.parcels.delay.1s";
/// The broker applies a policy to a queue a little later.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_the_queue_of_a_new_service_cannot_handle_becomes_a_dead_letter() -> Result<()> {
    let stack = Stack::quiet().await?;
    add_user(&stack.rabbitmq).await?;
    let tried = use_queue(&stack).await;
    remove(&stack.rabbitmq).await?;
    tried
}

async fn use_queue(stack: &Stack) -> Result<()> {
    let broker = &stack.rabbitmq;
    let address = setting("AMQP_URL")?.replace("e2e:demo-e2e", "shipping:demo-shipping");
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let (durable, none) = (QueueDeclareOptions::durable(), FieldTable::default());
    let mut quorum = FieldTable::default();
    quorum.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    for queue in [QUEUE, DELAY] {
        channel
            .queue_declare(queue.into(), durable, quorum.clone())
            .await?;
    }
    let exchange = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let own = "shipping.own";
    channel
        .exchange_declare(own.into(), ExchangeKind::Direct, exchange, none.clone())
        .await?;
    channel
        .queue_bind(
            QUEUE.into(),
            own.into(),
            QUEUE.into(),
            QueueBindOptions::default(),
            none,
        )
        .await?;

    let limits = policy_of(broker, QUEUE).await?;
    ensure!(limits["dead-letter-exchange"] == "dead-letters", "{limits}");
    ensure!(
        limits["dead-letter-strategy"] == "at-least-once",
        "{limits}"
    );
    ensure!(limits["overflow"] == "reject-publish", "{limits}");
    ensure!(limits["delivery-limit"] == 100, "{limits}");
    ensure!(limits["max-length-bytes"] == 256 << 20, "{limits}");
    let limits = policy_of(broker, DELAY).await?;
    ensure!(
        limits["dead-letter-strategy"] == "at-least-once",
        "{limits}"
    );

    let id = uuid::Uuid::now_v7().to_string();
    let properties = BasicProperties::default()
        .with_message_id(id.as_str().into())
        .with_delivery_mode(2);
    let options = BasicPublishOptions::default();
    let published = channel.basic_publish(own.into(), QUEUE.into(), options, b"{}", properties);
    ensure!(published.await?.await?.is_ack());
    let got = channel.basic_get(QUEUE.into(), BasicGetOptions::default());
    let got = got.await?.context("nothing arrived")?;
    let never = BasicRejectOptions { requeue: false };
    got.delivery.reject(never).await?;
    let letters = stack
        .letters
        .with_ids(std::slice::from_ref(&id), SOON)
        .await?;
    ensure!(letters.len() == 1, "{letters:?}");
    // Of a service that says nothing about its failures, the broker tells where the message was.
    ensure!(letters[0].source["kind"] == "broker", "{letters:?}");
    ensure!(letters[0].source["queue"] == QUEUE, "{letters:?}");
    Ok(())
}

/// The policy in force for a queue.
async fn policy_of(broker: &Management, queue: &str) -> Result<Value> {
    let path = format!("queues/{}/{queue}", broker.vhost());
    eventually(format!("a policy for {queue}"), SOON, async || {
        let queue: Value = broker.call(Method::GET, &path, None).await?;
        let policy = queue["effective_policy_definition"].clone();
        Ok(policy
            .as_object()
            .is_some_and(|policy| !policy.is_empty())
            .then_some(policy))
    })
    .await
}

async fn add_user(broker: &Management) -> Result<()> {
    let user = json!({"password": "demo-shipping", "tags": ""});
    let _: Value = broker
        .call(Method::PUT, &format!("users/{SERVICE}"), Some(user))
        .await?;
    let rights = json!({
        "configure": r"^(shipping\..*)$",
        "write": r"^(shipping\..*|dead-letters)$",
        "read": r"^(shipping\..*|controls)$",
    });
    let path = format!("permissions/{}/{SERVICE}", broker.vhost());
    broker.call(Method::PUT, &path, Some(rights)).await
}

async fn remove(broker: &Management) -> Result<()> {
    for queue in [QUEUE, DELAY] {
        let path = format!("queues/{}/{queue}", broker.vhost());
        let _: Value = broker.call(Method::DELETE, &path, None).await?;
    }
    let path = format!("exchanges/{}/shipping.own", broker.vhost());
    let _: Value = broker.call(Method::DELETE, &path, None).await?;
    broker
        .call(Method::DELETE, &format!("users/{SERVICE}"), None)
        .await
}
