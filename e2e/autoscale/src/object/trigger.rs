use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use contracts::topology::Topic;
use harness::TOPICS;

use super::document::RawTrigger;
use super::wrong;

/// What is counted, and how much of it is enough for an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What it is called in a decision.
    pub name: String,
    /// So much for each instance.
    pub target: u64,
    /// What is counted.
    pub subject: Subject,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The messages of a queue, those in somebody's hand among them.
    Queue {
        /// The virtual host.
        vhost: String,
        /// Its name.
        name: String,
    },
    /// The records of a topic that a consumer group has not committed.
    Lag {
        /// The consumer group.
        group: String,
        /// The topic.
        topic: Topic,
    },
}

/// Parameters that say where a broker is and how to log in. On Compose, `./dev` knows.
const OF_RABBITMQ: [&str; 2] = ["host", "hostFromEnv"];
const OF_KAFKA: [&str; 5] = [
    "bootstrapServers",
    "bootstrapServersFromEnv",
    "version",
    "sasl",
    "tls",
];

impl Trigger {
    pub(super) fn of(file: &Path, number: usize, raw: RawTrigger) -> Result<Self> {
        let field = format!("spec.triggers[{number}]");
        if let Some(kind) = raw.metric_type.filter(|kind| kind != "AverageValue") {
            let what = format!("{kind:?} is unknown here, which is for AverageValue");
            bail!(wrong(file, &format!("{field}.metricType"), &what));
        }
        let mut parameters = Parameters {
            file,
            field: format!("{field}.metadata"),
            left: raw.metadata,
        };
        let (target, subject) = match raw.kind.as_str() {
            "rabbitmq" => parameters.of_queue()?,
            "kafka" => parameters.of_lag()?,
            other => {
                let what = format!("{other:?} is none of rabbitmq, kafka");
                bail!(wrong(file, &format!("{field}.type"), &what));
            }
        };
        parameters.nothing_is_left()?;
        let name = raw.name.unwrap_or_else(|| match &subject {
            Subject::Queue { name, .. } => name.clone(),
            Subject::Lag { topic, .. } => topic.name.to_owned(),
        });
        Ok(Self {
            name,
            target,
            subject,
        })
    }
}

/// The parameters of a trigger, and which of them nobody has asked for yet.
struct Parameters<'a> {
    file: &'a Path,
    field: String,
    left: BTreeMap<String, String>,
}

impl Parameters<'_> {
    fn of_queue(&mut self) -> Result<(u64, Subject)> {
        self.forget(&OF_RABBITMQ);
        self.has_to_be("protocol", "http")?;
        self.has_to_be("mode", "QueueLength")?;
        let subject = Subject::Queue {
            vhost: self.text("vhostName")?,
            name: self.text("queueName")?,
        };
        Ok((self.number("value")?, subject))
    }

    fn of_lag(&mut self) -> Result<(u64, Subject)> {
        self.forget(&OF_KAFKA);
        self.has_to_be("offsetResetPolicy", "earliest")?;
        let group = self.text("consumerGroup")?;
        let topic = self.text("topic")?;
        let topic = (TOPICS.into_iter().find(|known| known.name == topic))
            .with_context(|| self.wrong("topic", &format!("there is no topic {topic:?}")))?;
        let subject = Subject::Lag { group, topic };
        Ok((self.number("lagThreshold")?, subject))
    }

    fn text(&mut self, name: &str) -> Result<String> {
        let value = self.left.remove(name).filter(|value| !value.is_empty());
        value.with_context(|| self.wrong(name, "is missing"))
    }

    fn number(&mut self, name: &str) -> Result<u64> {
        let value = self.text(name)?;
        let number = value.parse::<u64>().ok().filter(|number| *number > 0);
        number.with_context(|| self.wrong(name, &format!("{value:?} is no number above 0")))
    }

    fn has_to_be(&mut self, name: &str, only: &str) -> Result<()> {
        let value = self.text(name)?;
        if value != only {
            bail!(self.wrong(
                name,
                &format!("{value:?} is unknown here, which is for {only}")
            ));
        }
        Ok(())
    }

    fn forget(&mut self, names: &[&str]) {
        self.left.retain(|name, _| !names.contains(&name.as_str()));
    }

    /// What nobody has asked for would change something, and is not obeyed.
    fn nothing_is_left(&self) -> Result<()> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => bail!(self.wrong(name, "is not obeyed on Compose")),
        }
    }

    fn wrong(&self, name: &str, what: &str) -> String {
        wrong(self.file, &format!("{}.{name}", self.field), what)
    }
}
