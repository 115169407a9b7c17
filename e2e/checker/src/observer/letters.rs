use std::iter::repeat_n;

use anyhow::Result;
use harness::{Letters, SOON, eventually};
use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::DeadLetter;
use crate::foreign::foreign_id;

/// Part of the reason of `notification` where it cannot know about an e-mail.
const DOUBT: &str = "may have taken effect";

/// A dead letter as the console keeps it.
struct Letter {
    id: Uuid,
    message_id: Option<String>,
    reason: String,
    source: Source,
    failures: usize,
}

/// Where the message was when it failed.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Source {
    Queue {
        queue: String,
    },
    Topic {
        group: String,
    },
    /// What the broker gave up by itself.
    Broker {
        queue: String,
    },
    Unknown,
}

/// The dead letters that the console has collected, in whatever state, each as often as it has failed.
pub(super) async fn read(console: &PgPool, letters: &Letters) -> Result<Vec<DeadLetter>> {
    // Past the API, which does not count more than 10,000.
    let query = "select id, message_id, reason, source, failures::bigint as failures from letters
                 order by id";
    let stored = sqlx::query(query).try_map(Letter::new);
    let mut found = Vec::new();
    for letter in stored.fetch_all(console).await? {
        let body = if letter.is_told_by_its_body() {
            body(letters, letter.id).await?
        } else {
            String::new()
        };
        let failures = letter.failures;
        found.extend(repeat_n(letter.into_dead_letter(&body), failures));
    }
    Ok(found)
}

async fn body(letters: &Letters, id: Uuid) -> Result<String> {
    let bytes = eventually(format!("the body of letter {id}"), SOON, async || {
        letters.body(id).await.map(Some)
    });
    Ok(String::from_utf8_lossy(&bytes.await?).into_owned())
}

impl Letter {
    fn new(row: PgRow) -> sqlx::Result<Self> {
        let failures: i64 = row.try_get("failures")?;
        Ok(Self {
            id: row.try_get("id")?,
            message_id: row.try_get("message_id")?,
            reason: row.try_get("reason")?,
            source: row.try_get::<Json<Source>, _>("source")?.0,
            // One that is there has failed, whatever is said of it.
            failures: usize::try_from(failures).unwrap_or_default().max(1),
        })
    }

    fn is_in_doubt(&self) -> bool {
        self.reason.contains(DOUBT)
    }

    /// An id that nobody could read is in the body, and so is the notification of an e-mail.
    fn is_told_by_its_body(&self) -> bool {
        let id = self.message_id.as_deref().map(Uuid::parse_str);
        !matches!(id, Some(Ok(_))) || self.is_in_doubt()
    }

    fn into_dead_letter(self, body: &str) -> DeadLetter {
        DeadLetter {
            in_doubt: self.is_in_doubt().then(|| notification_of(body)).flatten(),
            message_id: foreign_id(body)
                .map(str::to_owned)
                .or(self.message_id)
                .unwrap_or_default(),
            consumer: match self.source {
                Source::Queue { queue } | Source::Broker { queue } => queue,
                Source::Topic { group } => group,
                Source::Unknown => String::new(),
            },
            reason: self.reason,
        }
    }
}

fn notification_of(body: &str) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct Task {
        notification_id: Uuid,
    }
    let task: Task = serde_json::from_str(body).ok()?;
    Some(task.notification_id)
}
