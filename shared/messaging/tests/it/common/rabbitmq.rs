mod management;

use std::env;
use std::sync::Once;

use anyhow::{Context, ensure};
use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use reqwest::{Client, Method};
use uuid::Uuid;

use self::management::ask;
use super::eventually;
use super::raw_amqp::RawClient;

/// Asks for a queue without declaring it.
const PASSIVE: QueueDeclareOptions = QueueDeclareOptions {
    passive: true,
    durable: false,
    exclusive: false,
    auto_delete: false,
    nowait: false,
};

/// A virtual host of RabbitMQ for one test, and a connection to look at what is in it.
pub(crate) struct VirtualHost {
    name: String,
    api: String,
    uri: AMQPUri,
    http: Client,
    /// Never goes through what is tested.
    pub(crate) channel: Channel,
}

impl VirtualHost {
    pub(crate) async fn create() -> anyhow::Result<Self> {
        // reqwest wants one even for plain HTTP.
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            rustls::crypto::ring::default_provider()
                .install_default()
                .ok();
        });
        let url = env::var("AMQP_URL").context("AMQP_URL is not set")?;
        let api = env::var("RABBITMQ_API_URL").context("RABBITMQ_API_URL is not set")?;
        let mut uri: AMQPUri = url.parse().map_err(anyhow::Error::msg)?;
        let name = format!("test-{}", Uuid::now_v7().simple());
        // The broker closes a connection after 5 s of silence, perhaps just when it is used again.
        let http = Client::builder().pool_max_idle_per_host(0).build()?;
        uri.vhost.clone_from(&name);
        let path = format!("{api}/api/vhosts/{name}");
        ask(&http, &uri, Method::PUT, &path).await?;

        let connection =
            Connection::connect_uri(uri.clone(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let host = Self {
            name,
            api,
            uri,
            http,
            channel,
        };
        host.keep_dead_letters().await?;
        Ok(host)
    }

    /// The place for dead letters, which the broker itself keeps.
    pub(crate) async fn keep_dead_letters(&self) -> anyhow::Result<()> {
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let (fanout, none) = (ExchangeKind::Fanout, FieldTable::default());
        self.channel
            .exchange_declare("dead-letters".into(), fanout, durable, none)
            .await?;
        self.bind("dead-letters", "dead-letters", "").await
    }

    pub(crate) fn url(&self) -> String {
        self.url_by(&self.address())
    }

    /// The same for whoever takes another way to the broker.
    pub(crate) fn url_by(&self, address: &str) -> String {
        let user = &self.uri.authority.userinfo;
        let (name, password) = (&user.username, &user.password);
        format!("amqp://{name}:{password}@{address}/{}", self.name)
    }

    /// Host and port of the broker.
    pub(crate) fn address(&self) -> String {
        let authority = &self.uri.authority;
        format!("{}:{}", authority.host, authority.port)
    }

    /// Declares a durable quorum queue, bound to an exchange that is already there.
    pub(crate) async fn bind(&self, queue: &str, exchange: &str, key: &str) -> anyhow::Result<()> {
        self.declare(queue).await?;
        self.channel
            .queue_bind(
                queue.into(),
                exchange.into(),
                key.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
        Ok(())
    }

    /// Declares a durable quorum queue, reached by the exchange of its owner as a consumer would do it.
    pub(crate) async fn declare(&self, queue: &str) -> anyhow::Result<()> {
        let mut arguments = FieldTable::default();
        let quorum = AMQPValue::LongString("quorum".into());
        arguments.insert("x-queue-type".into(), quorum);
        self.channel
            .queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments)
            .await?;
        self.bind_to_owner(queue).await
    }

    async fn bind_to_owner(&self, queue: &str) -> anyhow::Result<()> {
        let own = format!("{}.own", queue.split('.').next().unwrap_or_default());
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let (direct, none) = (ExchangeKind::Direct, FieldTable::default());
        let exchange = own.as_str();
        self.channel
            .exchange_declare(exchange.into(), direct, durable, none.clone())
            .await?;
        let options = QueueBindOptions::default();
        self.channel
            .queue_bind(queue.into(), exchange.into(), queue.into(), options, none)
            .await?;
        Ok(())
    }

    /// Declares a queue that refuses what is too much. A classic one, which keeps to it exactly.
    pub(crate) async fn declare_with_room_for_one(&self, queue: &str) -> anyhow::Result<()> {
        let mut arguments = FieldTable::default();
        let refuse = AMQPValue::LongString("reject-publish".into());
        arguments.insert(
            "x-queue-type".into(),
            AMQPValue::LongString("classic".into()),
        );
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
        arguments.insert("x-overflow".into(), refuse);
        self.channel
            .queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments)
            .await?;
        self.bind_to_owner(queue).await
    }

    /// Puts a message into a queue by hand.
    pub(crate) async fn send(
        &self,
        queue: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> anyhow::Result<()> {
        let options = BasicPublishOptions {
            mandatory: true,
            ..Default::default()
        };
        let confirm = self
            .channel
            .basic_publish("".into(), queue.into(), options, body, properties)
            .await?
            .await?;
        ensure!(confirm.is_ack() && confirm.take_message().is_none());
        Ok(())
    }

    /// Waits for the next message of a queue and takes it out.
    pub(crate) async fn take(&self, queue: &str) -> anyhow::Result<BasicGetMessage> {
        eventually("a message in a queue", async || {
            // A queue that a consumer declares at this moment exists before its process runs: it counts
            // as empty then, while taking from it would be an error that closes the connection.
            if self.size(queue).await? == 0 {
                return Ok(None);
            }
            let no_ack = BasicGetOptions { no_ack: true };
            Ok(self.channel.basic_get(queue.into(), no_ack).await?)
        })
        .await
    }

    /// Waits for the next dead letter and takes it out.
    pub(crate) async fn dead_letter(&self) -> anyhow::Result<BasicGetMessage> {
        // Declared here as well, so that one may wait before a consumer has done it.
        self.declare("dead-letters").await?;
        self.take("dead-letters").await
    }

    /// How many messages wait in a queue, those with a consumer not counted.
    pub(crate) async fn size(&self, queue: &str) -> anyhow::Result<u32> {
        let queue = self
            .channel
            .queue_declare(queue.into(), PASSIVE, FieldTable::default())
            .await?;
        Ok(queue.message_count())
    }

    /// A client that publishes bytes of its own choice.
    pub(crate) async fn raw_client(&self) -> anyhow::Result<RawClient> {
        RawClient::connect(&self.uri).await
    }
}
