//! Faults of a cluster: of one node of a broker at a time.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::{eventually, is_replicated};
use reqwest::Method;
use serde::Deserialize;
use tokio::time::sleep;

use crate::arena::{Instance, STARTED};
use crate::{Arena, Broker};

/// How often is looked whether a node has caught up.
const PAUSE: Duration = Duration::from_millis(500);

/// A node of RabbitMQ.
#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    running: bool,
}

/// A queue with the nodes that have a replica of it, and those of them that are there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Queue {
    #[serde(rename = "type")]
    kind: String,
    members: Vec<String>,
    online: Vec<String>,
}

impl Queue {
    fn is_whole(&self) -> bool {
        let counts = [self.members.len(), self.online.len()];
        self.kind != "quorum" || counts == [Broker::NODES; 2]
    }
}

impl Arena {
    /// One node loses the network that only nodes share. Clients still reach it.
    pub(super) async fn cut_from_peers(&self, node: &'static str) -> Result<Instance> {
        let instance = self.pick(node, 0).await?;
        self.disconnect(&instance, &self.network_of_peers(node))
            .await?;
        Ok(instance)
    }

    /// With SIGTERM, and the next one once this one has all that it missed.
    pub(super) async fn restart_nodes(&self, broker: Broker) -> Result<()> {
        for node in broker.nodes() {
            let instance = self.pick(node, 0).await?;
            self.restart(&instance).await?;
            self.is_whole(broker).await?;
        }
        Ok(())
    }

    /// The next fault of a broker has to find all its nodes, or two of them would be away at once.
    pub(super) async fn catches_up(&self, instance: &Instance) -> Result<()> {
        match Broker::of(&instance.service) {
            Some(broker) if self.is_cluster => self.is_whole(broker).await,
            _ => Ok(()),
        }
    }

    /// Waits until all nodes of a broker are there, and have a replica of all that there is.
    pub(crate) async fn is_whole(&self, broker: Broker) -> Result<()> {
        let what = format!("{broker} has all its nodes and replicas");
        eventually(what, STARTED, async || {
            let is_whole = match broker {
                Broker::Rabbitmq => self.rabbitmq_is_whole().await?,
                // The client blocks its thread.
                Broker::Kafka => {
                    tokio::task::spawn_blocking(|| is_replicated(Broker::NODES)).await??
                }
            };
            if !is_whole {
                sleep(PAUSE).await;
            }
            Ok(is_whole.then_some(()))
        })
        .await
    }

    async fn rabbitmq_is_whole(&self) -> Result<bool> {
        let nodes = "nodes?columns=name,running";
        let nodes: Vec<Node> = self.rabbitmq.call(Method::GET, nodes, None).await?;
        let queues = format!(
            "queues/{}?columns=name,type,members,online",
            self.rabbitmq.vhost()
        );
        let queues: Vec<Queue> = (self.rabbitmq.call(Method::GET, &queues, None).await)
            .context("the replicas of the queues")?;
        let running = nodes.iter().filter(|node| node.running).count();
        Ok(running == Broker::NODES && queues.iter().all(Queue::is_whole))
    }
}
