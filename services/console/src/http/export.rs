use std::collections::VecDeque;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::{Stream, stream};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::json::Letter;
use crate::store::{self, LetterFilter};

/// Letters are read in portions of so many.
const PORTION: i64 = 50;
/// No more are exported at once.
const MOST: i64 = 10_000;

/// How far an export has come.
struct Place {
    /// Read, and not yet sent.
    letters: VecDeque<store::Letter>,
    /// The last one that was read.
    last: Option<Uuid>,
    /// How many more may be read.
    left: i64,
}

/// The letters that match, one on each line. One body is in memory at a time.
pub(super) fn lines(
    pool: PgPool,
    filter: LetterFilter,
) -> impl Stream<Item = sqlx::Result<String>> {
    let begin = Place {
        letters: VecDeque::new(),
        last: None,
        left: MOST,
    };
    stream::try_unfold(begin, move |mut place| {
        let (pool, filter) = (pool.clone(), filter.clone());
        async move {
            if place.letters.is_empty() && place.left > 0 {
                let count = PORTION.min(place.left);
                let read = store::letters(&pool, &filter, place.last, count).await?;
                place.last = read.last().map(|letter| letter.id);
                place.left -= count;
                place.letters = read.into();
            }
            match place.letters.pop_front() {
                Some(letter) => Ok(Some((line(&pool, letter).await?, place))),
                None => Ok(None),
            }
        }
    })
}

async fn line(pool: &PgPool, letter: store::Letter) -> sqlx::Result<String> {
    let revision = store::revision(pool, letter.id, letter.revision).await?;
    let body = revision.map(|revision| BASE64_STANDARD.encode(revision.body));
    let (headers, properties) = (letter.headers.clone(), letter.properties.clone());
    let line = json!({
        "letter": Letter::from(letter), "headers": headers, "properties": properties, "body_base64": body,
    });
    Ok(format!("{line}\n"))
}
