use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::setting;

/// RabbitMQ through its management API.
#[derive(Debug, Clone)]
pub struct Management {
    http: Client,
    api: String,
    vhost: String,
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct Published {
    routed: bool,
}

impl Management {
    /// As `RABBITMQ_API_URL` and `AMQP_URL` say.
    pub fn new(http: Client) -> Result<Self> {
        let amqp = Url::parse(&setting("AMQP_URL")?)?;
        Ok(Self {
            http,
            api: setting("RABBITMQ_API_URL")?,
            vhost: amqp.path().trim_start_matches('/').to_owned(),
            user: amqp.username().to_owned(),
            password: amqp
                .password()
                .context("AMQP_URL without a password")?
                .to_owned(),
        })
    }

    /// The virtual host of the services.
    #[must_use]
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Publishes a message with the given AMQP properties.
    pub async fn publish(
        &self,
        exchange: &str,
        routing_key: &str,
        properties: Value,
        body: &str,
    ) -> Result<()> {
        let message = json!({
            "routing_key": routing_key,
            "properties": properties,
            "payload": body,
            "payload_encoding": "string",
        });
        let path = format!("exchanges/{}/{exchange}/publish", self.vhost);
        let published: Published = self.post(&path, message).await?;
        ensure!(published.routed, "no queue for {exchange}:{routing_key}");
        Ok(())
    }

    /// The queues, with what the broker counted a few seconds ago.
    pub async fn queues<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let path = format!("queues/{}?columns=name,messages,consumers", self.vhost);
        self.call(Method::GET, &path, None).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Any request below `/api/`. An answer without a body is null.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T> {
        let url = format!("{}/api/{path}", self.api);
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let request = request.basic_auth(&self.user, Some(&self.password));
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        let answer: &[u8] = if answer.is_empty() { b"null" } else { &answer };
        Ok(serde_json::from_slice(answer)?)
    }
}
