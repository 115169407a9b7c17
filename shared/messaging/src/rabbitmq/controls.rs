use std::time::Duration;

use anyhow::{Context, bail};
use contracts::Message;
use contracts::topology::CONTROLS;
use futures::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Consumer};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use uuid::Uuid;

use super::connection::{Purpose, RabbitMq, TIMEOUT, abandon};
use super::properties::{self, short_string};
use super::topology::Piece;
use crate::backoff::Backoff;
use crate::controls::Controls;

/// After so long without a word it is seen to that one would arrive.
const SILENCE: Duration = Duration::from_secs(10);

/// Says what is asked of all services, to whoever listens at this moment.
pub struct ControlsPublisher {
    rabbitmq: RabbitMq,
    channel: Option<Channel>,
}

impl ControlsPublisher {
    pub(crate) fn new(rabbitmq: RabbitMq) -> Self {
        let channel = None;
        Self { rabbitmq, channel }
    }

    /// Replaces what was said before. To be called about once a second for as long as anything is asked,
    /// and once more with nothing: whoever hears no more works as usual after five seconds. Only processes
    /// in demo mode listen.
    ///
    /// # Errors
    ///
    /// When RabbitMQ has not taken it. The next call connects again.
    pub async fn publish(&mut self, said: &contracts::Controls) -> anyhow::Result<()> {
        let published = timeout(TIMEOUT, self.try_publish(said)).await;
        let published = published.unwrap_or_else(|_| bail!("RabbitMQ did not answer in time"));
        if published.is_err() {
            self.channel = None;
        }
        published
    }

    async fn try_publish(&mut self, said: &contracts::Controls) -> anyhow::Result<()> {
        let channel = match &self.channel {
            Some(channel) if channel.status().connected() => channel.clone(),
            _ => {
                let channel = self.rabbitmq.channel(Purpose::Publish).await?;
                let confirms = ConfirmSelectOptions::default();
                channel.confirm_select(confirms).await?;
                Piece::exchange(CONTROLS).declare(&channel).await?;
                self.channel.insert(channel).clone()
            }
        };
        // Of use only now, so it is written to no disk.
        let properties = BasicProperties::default()
            .with_message_id(short_string(&Uuid::now_v7().to_string()))
            .with_type(short_string(contracts::Controls::TYPE))
            .with_content_type("application/json".into())
            .with_delivery_mode(1);
        let (exchange, body) = (short_string(CONTROLS.name), serde_json::to_vec(said)?);
        // Not mandatory: perhaps nobody listens.
        let options = BasicPublishOptions::default();
        let published = channel.basic_publish(exchange, "".into(), options, &body, properties);
        match published.await?.await? {
            Confirmation::Ack(_) => Ok(()),
            _ => bail!("RabbitMQ has refused it"),
        }
    }
}

/// Listens to what is asked of this process until stopped, by a queue that ends with its connection.
/// While nothing can be heard, nothing is asked.
pub(crate) async fn listen(rabbitmq: &RabbitMq, controls: &Controls, token: &CancellationToken) {
    let mut backoff = Backoff::default();
    let listening = async {
        loop {
            let healthy = || backoff = Backoff::default();
            if let Err(error) = listen_on_one_channel(rabbitmq, controls, healthy).await {
                let error = format!("{error:#}");
                debug!(error, "not listening to what is asked of this process");
            }
            tokio::time::sleep(backoff.next_pause()).await;
        }
    };
    token.run_until_cancelled(listening).await;
}

async fn listen_on_one_channel(
    rabbitmq: &RabbitMq,
    controls: &Controls,
    mut healthy: impl FnMut(),
) -> anyhow::Result<()> {
    let channel = rabbitmq.channel(Purpose::Consume).await?;
    let subscribed = timeout(TIMEOUT, subscribe(&channel, controls.service())).await;
    let subscribed = subscribed
        .context("RabbitMQ did not answer in time")
        .flatten();
    // Else a consumer that nobody reads from would be there once RabbitMQ answers.
    let (mut deliveries, binding) = subscribed.inspect_err(|_| abandon(&channel))?;
    healthy();
    loop {
        let Ok(next) = timeout(SILENCE, deliveries.next()).await else {
            // Nobody speaks, or somebody has deleted the exchange and with it what led here.
            timeout(TIMEOUT, binding.declare(&channel)).await??;
            continue;
        };
        let delivery = next.context("the broker cancelled the consumer")??;
        match properties::decode(&delivery.properties).decode::<contracts::Controls>(&delivery.data)
        {
            Ok(received) => controls.hear(&received.body),
            Err(error) => {
                let error = error.to_string();
                debug!(error, "what is asked cannot be read");
            }
        }
    }
}

/// Only the newest word is kept for a process that is busy. The exchange belongs to whoever asks.
async fn subscribe(channel: &Channel, service: &str) -> anyhow::Result<(Consumer, Piece)> {
    let queue = format!("{service}.{}.{}", CONTROLS.name, Uuid::now_v7());
    let mut arguments = FieldTable::default();
    let classic = AMQPValue::LongString("classic".into());
    arguments.insert("x-queue-type".into(), classic);
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..Default::default()
    };
    let name = short_string(&queue);
    let declared = channel.queue_declare(name.clone(), options, arguments);
    declared.await?;
    let binding = Piece::binding(&queue, CONTROLS.name, "");
    binding.declare(channel).await?;
    let options = BasicConsumeOptions {
        no_ack: true,
        exclusive: true,
        ..Default::default()
    };
    let consumed = channel.basic_consume(name, "".into(), options, FieldTable::default());
    Ok((consumed.await?, binding))
}
