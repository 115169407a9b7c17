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

/// How far an export has come: the last letter and how many are left, until there are no more.
type Place = Option<(Option<Uuid>, i64)>;

/// The letters that match, one on each line, a portion at a time.
pub(super) fn lines(
    pool: PgPool,
    filter: LetterFilter,
) -> impl Stream<Item = sqlx::Result<String>> {
    let begin: Place = Some((None, MOST));
    stream::try_unfold(begin, move |place| {
        let (pool, filter) = (pool.clone(), filter.clone());
        async move {
            let Some((before, left)) = place else {
                return Ok(None);
            };
            let letters = store::letters(&pool, &filter, before, PORTION.min(left)).await?;
            let Some(last) = letters.last().map(|letter| letter.id) else {
                return Ok(None);
            };
            let mut text = String::new();
            for letter in letters {
                text.push_str(&line(&pool, letter).await?);
            }
            let left = left - PORTION;
            let next = (left > 0).then_some((Some(last), left));
            Ok(Some((text, next)))
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
