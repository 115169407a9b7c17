//! What an operator sees and does, by the management API.

use anyhow::{Context, ensure};
use lapin::uri::AMQPUri;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use super::VirtualHost;
use crate::common::eventually;

impl VirtualHost {
    /// How many messages are in a queue, those with a consumer included.
    pub(crate) async fn unacknowledged(&self, queue: &str) -> anyhow::Result<u64> {
        let path = format!("{}/api/queues/{}/{queue}", self.api, self.name);
        let answer = ask(&self.http, &self.uri, Method::GET, &path).await?;
        let queue: Value = serde_json::from_str(&answer)?;
        // Counted every few seconds; not there before the first time.
        Ok(queue["messages"].as_u64().unwrap_or(u64::MAX))
    }

    /// Waits until a queue has a consumer, which by then has declared all that it needs.
    pub(crate) async fn until_consumed(&self, queue: &str) -> anyhow::Result<()> {
        self.consumer_tag(queue).await.map(drop)
    }

    /// Waits until nobody consumes a queue.
    pub(crate) async fn until_abandoned(&self, queue: &str) -> anyhow::Result<()> {
        eventually("a queue without consumers", async || {
            let there = self.consumers().await?;
            let consumed = there.iter().any(|it| it["queue"]["name"] == queue);
            Ok((!consumed).then_some(()))
        })
        .await
    }

    async fn consumers(&self) -> anyhow::Result<Vec<Value>> {
        let path = format!("{}/api/consumers/{}", self.api, self.name);
        let answer = ask(&self.http, &self.uri, Method::GET, &path).await?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Waits for a consumer of a queue and names its subscription, which ends with its connection.
    pub(crate) async fn consumer_tag(&self, queue: &str) -> anyhow::Result<String> {
        eventually("a consumer", async || {
            let consumers = self.consumers().await?;
            let mut of_queue = consumers.iter().filter(|it| it["queue"]["name"] == queue);
            let tag = of_queue.next().and_then(|it| it["consumer_tag"].as_str());
            Ok(tag.map(ToOwned::to_owned))
        })
        .await
    }

    /// Has the broker close the connections whose names contain this; waits until there is one.
    pub(crate) async fn close_connections(&self, name: &str) -> anyhow::Result<()> {
        eventually("a connection to close", async || {
            let path = format!("{}/api/vhosts/{}/connections", self.api, self.name);
            let connections: Vec<Value> =
                serde_json::from_str(&ask(&self.http, &self.uri, Method::GET, &path).await?)?;
            let mut closed = None;
            for connection in connections {
                let given = connection["user_provided_name"].as_str();
                if given.is_some_and(|given| given.contains(name)) {
                    let id = connection["name"].as_str().context("no name")?;
                    let path = format!("{}/api/connections/{id}", self.api);
                    ask(&self.http, &self.uri, Method::DELETE, &path).await?;
                    closed = Some(());
                }
            }
            Ok(closed)
        })
        .await
    }

    /// Deletes the virtual host with all that is in it, and creates it again with nothing.
    pub(crate) async fn create_anew(&self) -> anyhow::Result<()> {
        let path = format!("{}/api/vhosts/{}", self.api, self.name);
        ask(&self.http, &self.uri, Method::DELETE, &path).await?;
        ask(&self.http, &self.uri, Method::PUT, &path).await?;
        Ok(())
    }

    /// What an operator may tidy away: a queue, an exchange or all of a virtual host.
    pub(crate) async fn remove(&self, what: &str) -> anyhow::Result<()> {
        let path = format!("{}/api/{what}", self.api);
        let path = path.replace("VHOST", &self.name);
        ask(&self.http, &self.uri, Method::DELETE, &path).await?;
        Ok(())
    }

    pub(crate) async fn delete(self) -> anyhow::Result<()> {
        let path = format!("{}/api/vhosts/{}", self.api, self.name);
        ask(&self.http, &self.uri, Method::DELETE, &path).await?;
        Ok(())
    }
}

pub(super) async fn ask(
    http: &Client,
    uri: &AMQPUri,
    method: Method,
    url: &str,
) -> anyhow::Result<String> {
    let user = &uri.authority.userinfo;
    let request = http
        .request(method, url)
        .basic_auth(&user.username, Some(&user.password))
        .header("content-type", "application/json");
    let answer = request.send().await?;
    let status = answer.status();
    ensure!(
        status.is_success() || status == StatusCode::NOT_FOUND,
        "{url}: {status}"
    );
    Ok(answer.text().await?)
}
