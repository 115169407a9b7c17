use contracts::topology::Topic;
use sqlx::PgConnection;

use super::Bus;
use crate::consume::group;
use crate::inbox;
use crate::kafka::{forget, nobody_belongs_to};

impl Bus {
    /// Waits until no process of this service consumes any of these topics.
    ///
    /// # Errors
    ///
    /// When one still does after ten seconds, in which the death of a process is noticed, or Kafka does not answer.
    pub async fn nobody_consumes(&self, topics: &[Topic]) -> anyhow::Result<()> {
        nobody_belongs_to(&self.inner.kafka, self.groups(topics)).await
    }

    /// Forgets what these handlers have read of these topics. When the service is started after the caller's
    /// transaction has committed, it reads all that is in the topics as if it were new, provided that it
    /// consumes them [from the beginning](super::TopicConsumer::reading_all).
    ///
    /// A process that consumes one of them meanwhile goes on where it is: see
    /// [`nobody_consumes`](Self::nobody_consumes).
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn read_again(
        &self,
        db: &mut PgConnection,
        topics: &[Topic],
        handlers: &[&str],
    ) -> sqlx::Result<()> {
        // A row for each message of a week, and nobody waits for them.
        sqlx::query("set local statement_timeout = 0")
            .execute(&mut *db)
            .await?;
        inbox::forget(db, handlers).await?;
        forget(db, &self.groups(topics)).await
    }

    fn groups(&self, topics: &[Topic]) -> Vec<String> {
        let service = self.inner.consuming.service;
        let topics = topics.iter();
        topics.map(|topic| group(service, topic.name)).collect()
    }
}
