use std::time::Duration;

use anyhow::Context;
use contracts::topology::DEAD_LETTER_QUEUE;
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::rest::Rest;
use super::{Statistics, persist};
use crate::pace::every;

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(3);

/// How old the numbers of the API are, in seconds, taken over many looks: queues report once a second, and the API
/// takes up once a second what they have reported.
const OLD: f64 = 1.7;

/// The columns that are looked at: without naming them the answer would be twenty times as long.
const QUEUE_COLUMNS: &str = "name,messages,messages_ready,messages_unacknowledged,consumers,arguments,\
    message_stats.ack,message_stats.deliver_no_ack,message_stats.get_no_ack";

/// RabbitMQ's management API, as `http://user:password@host:port`.
#[derive(Clone)]
pub struct RabbitMqApi {
    client: Client,
    url: reqwest::Url,
    vhost: String,
}

/// A queue as the API tells it. Numbers are missing for a queue that was just declared.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Queue {
    pub name: String,
    pub messages: Option<u64>,
    pub messages_ready: Option<u64>,
    pub messages_unacknowledged: Option<u64>,
    pub consumers: Option<u64>,
    #[serde(default)]
    pub arguments: Arguments,
    message_stats: Option<Counters>,
}

/// What a queue was declared with.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Arguments {
    /// After how many milliseconds its messages go elsewhere.
    #[serde(rename = "x-message-ttl")]
    pub ttl: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Counters {
    ack: u64,
    deliver_no_ack: u64,
    get_no_ack: u64,
}

/// Somebody who is connected.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Connection {
    pub(super) user: String,
    pub(super) peer_host: String,
}

/// What a queue is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A service takes its messages.
    Work,
    /// Messages wait in it until their delay is over.
    Delay,
    /// Messages that nobody could handle.
    DeadLetters,
    /// Anything else, such as the queues of a program somebody tries out.
    Other,
}

impl Queue {
    /// What the queue is for, by its name.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.name == DEAD_LETTER_QUEUE {
            Kind::DeadLetters
        } else if self.arguments.ttl.is_some() {
            Kind::Delay
        } else if self.name.contains('.')
            && !self.name.starts_with("amq.")
            && !self.name.contains(".controls.")
        {
            Kind::Work
        } else {
            Kind::Other
        }
    }

    /// Whose queue it is: the first word of its name.
    #[must_use]
    pub fn service(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// How many messages its consumers are done with, by the broker's own counter.
    pub(super) fn acknowledged(&self) -> Option<u64> {
        let counters = self.message_stats?;
        Some(counters.ack + counters.deliver_no_ack + counters.get_no_ack)
    }
}

impl RabbitMqApi {
    /// For the queues of this virtual host.
    ///
    /// # Errors
    ///
    /// When the address is none.
    pub fn new(url: &str, vhost: &str) -> anyhow::Result<Self> {
        let url = url
            .parse()
            .context("RABBITMQ_API_URL is not an address like http://user:password@host:15672")?;
        let client = Client::builder().timeout(TIMEOUT).build()?;
        let vhost = vhost.to_owned();
        Ok(Self { client, url, vhost })
    }

    async fn queues(&self) -> anyhow::Result<Vec<Queue>> {
        let path = format!("/api/queues/{}", self.vhost);
        self.get(&path, QUEUE_COLUMNS).await
    }

    async fn connections(&self) -> anyhow::Result<Vec<Connection>> {
        let path = format!("/api/vhosts/{}/connections", self.vhost);
        self.get(&path, "user,peer_host").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, columns: &str) -> anyhow::Result<T> {
        let mut url = self.url.join(path)?;
        url.query_pairs_mut().append_pair("columns", columns);
        let answer = self.client.get(url).send().await;
        // The address holds the password.
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(reqwest::Error::without_url)?;
        Ok(answer.json().await.map_err(reqwest::Error::without_url)?)
    }
}

/// Looks at the queues once a second, until stopped, and remembers in the database what is needed to know their
/// age after a restart. Who is connected is of interest while somebody watches, and is otherwise looked at every five
/// seconds. The broker and the database may come and go.
///
/// # Errors
///
/// None; it is a `Result` because that is what the life cycle of a process wants of a task.
pub async fn watch_rabbitmq(
    api: RabbitMqApi,
    statistics: Statistics,
    pool: PgPool,
    token: CancellationToken,
) -> anyhow::Result<()> {
    let resumed = persist::resume(&statistics, &pool);
    if token.run_until_cancelled(resumed).await.is_some() {
        let keeping = persist::keep(&statistics, &pool, &token);
        tokio::join!(look(&api, &statistics, &token), keeping);
    }
    Ok(())
}

async fn look(api: &RabbitMqApi, statistics: &Statistics, token: &CancellationToken) {
    let (mut tick, mut rest) = (every(INTERVAL), Rest::default());
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let is_watched = statistics.known().is_watched();
        let rests = rest.goes_on(is_watched);
        let connections = async {
            match rests {
                true => Ok(None),
                false => api.connections().await.map(Some),
            }
        };
        let looked = async { tokio::try_join!(api.queues(), connections) };
        let Some(looked) = token.run_until_cancelled(looked).await else {
            return;
        };
        let mut known = statistics.known();
        let now = known.clock.now();
        match looked {
            Ok((queues, connections)) => {
                known.rabbitmq.answered(now);
                if let Some(connections) = connections {
                    known.queues.connected(now, &connections);
                    rest.begin();
                }
                known.queues.observe(now - OLD, queues);
            }
            Err(error) => known.rabbitmq.failed(now, &error),
        }
    }
}
