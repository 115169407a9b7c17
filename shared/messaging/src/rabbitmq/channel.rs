use std::collections::{HashMap, HashSet};

use anyhow::Context;
use contracts::topology::Exchange;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::timeout;

use super::connection::{Purpose, RabbitMq, TIMEOUT, abandon};
use super::topology::Piece;
use super::upkeep::is_refusal;
use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{Guarantee, without};
use crate::outbox::{PublishError, is_own_exchange};

/// A message on its way to an exchange.
pub(crate) struct Outgoing {
    pub(crate) exchange: ShortString,
    pub(crate) routing_key: ShortString,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

/// An exchange and a routing key.
pub(super) type Address = (ShortString, ShortString);

impl Outgoing {
    pub(super) fn address(&self) -> Address {
        (self.exchange.clone(), self.routing_key.clone())
    }
}

/// Publishes windows of messages with `mandatory` and waits for every confirm.
///
/// It owns its channel, since lapin attributes confirms wrongly when several tasks publish on
/// one. After any failure the channel is dropped and with it all that was on its way.
pub(crate) struct ConfirmChannel {
    rabbitmq: RabbitMq,
    exchanges: Vec<Exchange>,
    channel: Option<Channel>,
    /// Whether the exchanges of single services are this one's to declare.
    declares_own: bool,
    /// The exchanges of single services that were declared on this channel.
    own: HashSet<ShortString>,
}

impl ConfirmChannel {
    /// `exchanges` are declared whenever a channel is opened.
    pub(crate) fn new(rabbitmq: RabbitMq, exchanges: Vec<Exchange>) -> Self {
        Self {
            rabbitmq,
            exchanges,
            channel: None,
            declares_own: true,
            own: HashSet::new(),
        }
    }

    /// Publishes to the queues of other services, by the exchanges that those have declared.
    pub(super) fn to_others(rabbitmq: RabbitMq) -> Self {
        Self {
            declares_own: false,
            ..Self::new(rabbitmq, Vec::new())
        }
    }

    /// Publishes the window, pipelined, and answers for each message in the same order.
    pub(crate) async fn publish(&mut self, window: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        match timeout(TIMEOUT, self.try_publish(window)).await {
            Ok(Ok(results)) => results,
            failure => {
                let (reason, is_refusal) = match failure {
                    Ok(Err(error)) => (format!("{error:#}"), is_refusal(&error)),
                    _ => {
                        self.rabbitmq.publish_elsewhere();
                        ("RabbitMQ did not confirm in time".to_owned(), false)
                    }
                };
                if let Some(channel) = self.channel.take() {
                    abandon(&channel);
                }
                // An exchange that is not there is declared with the next channel, unless it is somebody else's.
                let error = match is_refusal && !self.declares_own {
                    true => PublishError::Refused(reason),
                    false => PublishError::Unavailable(reason),
                };
                window.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    async fn try_publish(
        &mut self,
        window: &[Outgoing],
    ) -> anyhow::Result<Vec<Result<(), PublishError>>> {
        let channel = self.open().await?;
        self.declare_own(&channel, window).await?;
        let options = BasicPublishOptions {
            mandatory: true,
            ..Default::default()
        };
        let mut confirms = Vec::with_capacity(window.len());
        for message in window {
            let (exchange, routing_key) = (message.exchange.clone(), message.routing_key.clone());
            let properties = message.properties.clone();
            confirms.push(
                channel
                    .basic_publish(exchange, routing_key, options, &message.body, properties)
                    .await?,
            );
        }

        crash_point::reach(CrashPoint::RabbitmqPublished);
        if without(Guarantee::Confirms) {
            return Ok(window.iter().map(|_| Ok(())).collect());
        }

        // A returned message comes with whichever confirm is resolved next, not with its own. It
        // always arrives before its own confirm, so after the last one we have them all. What it has in common
        // with others to the same address is that address, while ids are anybody's choice.
        let mut results = Vec::with_capacity(window.len());
        let mut returned = HashMap::new();
        for confirm in confirms {
            let confirmation = confirm.await?;
            results.push(match &confirmation {
                Confirmation::Ack(_) => Ok(()),
                Confirmation::Nack(_) => Err(PublishError::Closed(
                    "RabbitMQ sent a nack (queue full?)".to_owned(),
                )),
                Confirmation::NotRequested => anyhow::bail!("the channel is not in confirm mode"),
            });
            if let Some(message) = confirmation.take_message() {
                let to = (message.delivery.exchange, message.delivery.routing_key);
                returned.insert(to, format!("unroutable: {}", message.reply_text));
            }
        }
        if !returned.is_empty() {
            for (message, result) in window.iter().zip(&mut results) {
                if let Some(reason) = returned.get(&message.address()) {
                    *result = Err(PublishError::Closed(reason.clone()));
                }
            }
        }
        self.rabbitmq.unrouted().note(window, &returned);
        Ok(results)
    }

    /// The channel, opened anew together with the exchanges if it is gone.
    pub(super) async fn open(&mut self) -> anyhow::Result<Channel> {
        if let Some(channel) = &self.channel
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        let channel = timeout(TIMEOUT, self.open_anew())
            .await
            .context("RabbitMQ did not answer in time")??;
        self.own.clear();
        self.channel = Some(channel.clone());
        Ok(channel)
    }

    /// Publishing to an exchange that is not there would cost the channel and with it the window; a
    /// queue that is not there costs one message an attempt.
    async fn declare_own(&mut self, channel: &Channel, window: &[Outgoing]) -> anyhow::Result<()> {
        for message in window {
            let exchange = &message.exchange;
            let is_wanted = self.declares_own && is_own_exchange(exchange.as_str());
            if is_wanted && !self.own.contains(exchange) {
                let piece = Piece::direct_exchange(exchange.as_str());
                piece.declare(channel).await?;
                self.own.insert(exchange.clone());
            }
        }
        Ok(())
    }

    async fn open_anew(&self) -> anyhow::Result<Channel> {
        let channel = self.rabbitmq.channel(Purpose::Publish).await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        for exchange in &self.exchanges {
            Piece::exchange(*exchange).declare(&channel).await?;
        }
        Ok(channel)
    }
}
