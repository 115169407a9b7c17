use runtime::http::Problem;
use sqlx::PgPool;
use uuid::Uuid;

use super::letters::Search;
use crate::store;

/// Letters by name, or all that match.
pub(super) struct Set {
    /// These.
    pub(super) letters: Option<Vec<Uuid>>,
    /// All that match now, and none that arrives later.
    pub(super) filter: Option<Search>,
    /// With a filter: how many that shall be.
    pub(super) expected: Option<i64>,
}

impl Set {
    /// The ids of the letters, as they match now. By a filter only those in this state.
    pub(super) async fn letters(self, pool: &PgPool, state: &str) -> Result<Vec<Uuid>, Problem> {
        match (self.letters, self.filter, self.expected) {
            (Some(letters), None, None) => Ok(letters),
            (None, Some(filter), Some(expected)) => {
                let letters = store::matching_letters(pool, &filter.filter()?, state).await?;
                match i64::try_from(letters.len()) {
                    Ok(count) if count == expected => Ok(letters),
                    _ => Err(Problem::conflict(format!(
                        "{} {state} letters match by now, and not {expected}",
                        letters.len()
                    ))),
                }
            }
            (None, Some(_), None) => Err(Problem::unprocessable(
                "expected",
                "say how many letters a filter shall match",
            )),
            _ => Err(Problem::unprocessable(
                "letters",
                "expected either `letters`, or `filter` with `expected`",
            )),
        }
    }
}
