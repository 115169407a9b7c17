use anyhow::Result;
use bollard::models::{EndpointSettings, NetworkConnectRequest, NetworkDisconnectRequest};

use super::arena::Instance;
use super::{Arena, Broker};

/// A network of a container, with the names by which others look for it there.
pub(super) struct Network {
    name: String,
    aliases: Vec<String>,
}

impl Arena {
    /// Those that a service has, as the Compose files say.
    pub(super) fn networks(&self, service: &str) -> Vec<Network> {
        let mut aliases = vec![service.to_owned()];
        // Every node of RabbitMQ answers to the name in `AMQP_URL`; clients of Kafka know all its nodes.
        let broker = Broker::of(service).filter(|_| self.is_cluster);
        if broker == Some(Broker::Rabbitmq) && service != "rabbitmq" {
            aliases.push("rabbitmq".to_owned());
        }
        let mut networks = vec![Network {
            name: format!("{}_default", self.project),
            aliases,
        }];
        networks.extend(broker.map(|_| self.network_of_peers(service)));
        networks
    }

    /// The network that only the nodes of a cluster share.
    pub(super) fn network_of_peers(&self, node: &str) -> Network {
        Network {
            name: format!("{}_cluster", self.project),
            aliases: vec![format!("peer-{node}")],
        }
    }

    /// Gives a container the networks that it lacks.
    pub(super) async fn connect(&self, instance: &Instance) -> Result<()> {
        let settings = self.docker.inspect_container(&instance.id, None).await?;
        let connected = settings
            .network_settings
            .and_then(|settings| settings.networks)
            .unwrap_or_default();
        for Network { name, aliases } in self.networks(&instance.service) {
            if connected.contains_key(&name) {
                continue;
            }
            let request = NetworkConnectRequest {
                container: instance.id.clone(),
                endpoint_config: Some(EndpointSettings {
                    aliases: Some(aliases),
                    ..EndpointSettings::default()
                }),
            };
            self.docker.connect_network(&name, request).await?;
        }
        Ok(())
    }

    pub(super) async fn disconnect(&self, instance: &Instance, network: &Network) -> Result<()> {
        let request = NetworkDisconnectRequest {
            container: instance.id.clone(),
            force: Some(true),
        };
        Ok(self
            .docker
            .disconnect_network(&network.name, request)
            .await?)
    }
}
