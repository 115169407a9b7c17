use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Gateway, eventually};

const LETTERS: &str = "/api/console/letters";
/// As many as the API gives at once.
const PAGE: usize = 100;

/// The dead letters that the console has taken out of their queue, through its API.
#[derive(Debug, Clone)]
pub struct Letters {
    gateway: Gateway,
}

/// What a test looks at in a dead letter.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Letter {
    pub id: Uuid,
    pub state: String,
    pub service: Option<String>,
    pub consumer: String,
    pub source: Value,
    pub target: Option<String>,
    pub reason: String,
    pub message_id: Option<String>,
    pub message_type: Option<String>,
    pub failures: u32,
    pub size: u64,
    pub revision: u32,
    /// Only where one letter was asked for.
    #[serde(default)]
    headers: Vec<Header>,
}

/// A header of the message, which an answer in JSON cannot show as it is.
#[derive(Debug, Clone, Deserialize)]
struct Header {
    name: String,
    value: String,
    encoding: String,
}

#[derive(Deserialize)]
struct Page {
    letters: Vec<Letter>,
    next: Option<Uuid>,
}

#[derive(Deserialize)]
struct Counted {
    count: u64,
}

impl Letter {
    /// Whether it is about the message with this id.
    #[must_use]
    pub fn is_of(&self, message_id: &str) -> bool {
        self.message_id.as_deref() == Some(message_id)
    }

    /// A header, null when it is missing. Bytes that are no text stay in base64.
    #[must_use]
    pub fn header(&self, name: &str) -> Value {
        let header = self.headers.iter().find(|header| header.name == name);
        header.map_or(Value::Null, Header::decoded)
    }
}

impl Header {
    fn decoded(&self) -> Value {
        match self.encoding.as_str() {
            "json" => serde_json::from_str(&self.value).unwrap_or_default(),
            _ => Value::from(self.value.as_str()),
        }
    }
}

impl Letters {
    /// Those behind this gateway.
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }

    /// Every dead letter in whatever state, without its headers.
    pub async fn all(&self) -> Result<Vec<Letter>> {
        self.list("state=all").await
    }

    /// Every dead letter that a filter lets through, such as `state=open`, without its headers.
    pub async fn list(&self, filter: &str) -> Result<Vec<Letter>> {
        self.pages(filter, |_| false).await
    }

    /// Waits until there is a dead letter for each of these message ids, and returns those that there are by then,
    /// with their headers.
    pub async fn with_ids(&self, ids: &[String], limit: Duration) -> Result<Vec<Letter>> {
        let is_wanted = |letter: &Letter| ids.iter().any(|id| letter.is_of(id));
        let missing = |letters: &[Letter]| {
            let missing = ids
                .iter()
                .filter(|id| !letters.iter().any(|one| one.is_of(id)));
            missing.count()
        };
        let mut left = ids.len();
        let found = eventually("dead letters", limit, async || {
            // The newest come first, so that most of the time one page is enough.
            let letters = self.pages("state=all", |found| missing(found) == 0).await?;
            left = missing(&letters);
            Ok((left == 0).then_some(letters))
        });
        let found = found
            .await
            .with_context(|| format!("{left} of {} dead letters are missing", ids.len()))?;
        let mut letters = Vec::new();
        for letter in found.iter().filter(|letter| is_wanted(letter)) {
            letters.push(self.get(letter.id).await?);
        }
        Ok(letters)
    }

    /// A dead letter with its headers.
    pub async fn get(&self, id: Uuid) -> Result<Letter> {
        self.read(&format!("{LETTERS}/{id}")).await
    }

    /// Waits until a dead letter has a state.
    pub async fn reaches(&self, id: Uuid, state: &str, limit: Duration) -> Result<Letter> {
        let mut last = None;
        let reached = eventually(format!("letter {id} is {state}"), limit, async || {
            let letter = self.get(id).await?;
            last = Some(letter.state.clone());
            Ok((letter.state == state).then_some(letter))
        });
        reached.await.with_context(|| format!("last seen {last:?}"))
    }

    /// The body of the message, byte by byte as it came.
    pub async fn body(&self, id: Uuid) -> Result<Vec<u8>> {
        let path = format!("{LETTERS}/{id}/body?revision=0");
        self.gateway.bytes(&path).await
    }

    /// How many wait for somebody to decide about them.
    pub async fn open(&self) -> Result<u64> {
        self.count("state=open").await
    }

    /// How many a filter lets through. More than 10,000 are not told apart.
    pub async fn count(&self, filter: &str) -> Result<u64> {
        let path = format!("{LETTERS}?{filter}&limit=1");
        Ok(self.read::<Counted>(&path).await?.count)
    }

    /// Gives a letter another type and body, on top of its newest revision.
    pub async fn mend(
        &self,
        letter: &Letter,
        message_type: &str,
        body: &str,
        by: &str,
    ) -> Result<()> {
        let edit = json!({
            "by": by, "base": letter.revision, "message_type": message_type,
            "message_id": letter.message_id, "body": body,
        });
        let path = format!("{LETTERS}/{}/revisions", letter.id);
        let answer = self.gateway.post(&path, &edit).await?;
        ensure!(answer.status == 201, "{answer:?}");
        Ok(())
    }

    /// Sends these again, to the consumers that failed.
    pub async fn replay(&self, letters: &[Uuid], by: &str) -> Result<()> {
        let replay = json!({"by": by, "letters": letters});
        let answer = self.gateway.post("/api/console/replays", &replay).await?;
        ensure!(answer.status == 201, "{answer:?}");
        Ok(())
    }

    /// Says that nobody needs these any more.
    pub async fn discard(&self, letters: &[Uuid], by: &str, reason: &str) -> Result<()> {
        let discard = json!({"by": by, "reason": reason, "letters": letters});
        let path = format!("{LETTERS}/discard");
        let answer = self.gateway.post(&path, &discard).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }

    /// Page by page, until there are no more or enough are there.
    async fn pages(
        &self,
        filter: &str,
        is_enough: impl Fn(&[Letter]) -> bool,
    ) -> Result<Vec<Letter>> {
        let first = format!("{LETTERS}?{filter}&limit={PAGE}");
        let (mut letters, mut path) = (Vec::<Letter>::new(), first.clone());
        loop {
            let page: Page = self.read(&path).await?;
            letters.extend(page.letters);
            match page.next {
                Some(next) if !is_enough(&letters) => path = format!("{first}&before={next}"),
                _ => return Ok(letters),
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.gateway.get(path).await?;
        ensure!(answer.status == 200, "{path}: {answer:?}");
        Ok(serde_json::from_value(answer.body)?)
    }
}
