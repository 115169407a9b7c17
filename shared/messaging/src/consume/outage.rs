use std::time::Duration;

use database::Speaks;

use crate::handler::Failure;

/// For so long the same failure of all messages is an outage. After that it counts: the messages are
/// tried again after the configured pauses, and however long the cause lasts, each uses up at most one
/// attempt a minute.
const SAME_FAILURE_LIMIT: Duration = Duration::from_secs(60);

/// So many messages are tried while not one of them can be handled and the tables or the rights are to
/// blame; then the others are spared.
const TRIES: usize = 5;

/// Whom a failure blames, seen alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blames {
    /// The message.
    Message,
    /// Nearly always the database, rarely a message: its neighbours decide.
    Unclear,
    /// Something that every message needs.
    Outage,
}

/// Beginning, claiming and committing never speak about the message: their errors come as
/// [`Failure::Unavailable`]. A statement of the handler does where [`database::speaks`] says so.
pub(super) fn blames(failure: &Failure) -> Blames {
    let error = match failure {
        Failure::Unavailable(_) => return Blames::Outage,
        Failure::Reject(_) => return Blames::Message,
        Failure::Retry(error) => error,
    };
    let causes = error.chain().filter_map(|cause| cause.downcast_ref());
    let speaks: Vec<Speaks> = causes.map(database::speaks).collect();
    if speaks.contains(&Speaks::OfTheDatabase) {
        Blames::Outage
    } else if speaks.contains(&Speaks::OfTheSchema) {
        Blames::Unclear
    } else {
        Blames::Message
    }
}

/// Whether a failure is an outage that no other message can be compared with.
pub(super) fn is_outage_alone(failure: &Failure) -> bool {
    blames(failure) != Blames::Message
}

/// Whether the failure of a batch of this size leaves open which of its messages are to blame, so
/// that it is worth trying them one by one: always, unless nothing can be handled at all. What
/// takes too long for all of them may be possible for each.
pub(super) fn may_succeed_one_by_one(failure: &Failure, batch: usize) -> bool {
    batch > 1 && (blames(failure) != Blames::Outage || is_time_limit(failure))
}

/// What trying messages one by one has shown so far, and **the** rule by which a failure counts
/// against a message or against nobody.
///
/// | the messages that were tried | a failure is |
/// |---|---|
/// | one was handled | the fault of the message that failed |
/// | none was handled, and an error speaks of the tables or the rights | an outage |
/// | two or more failed, all in the same words, none was rejected | an outage, for a minute |
/// | anything else | the fault of the message that failed |
///
/// What [blames an outage](Blames::Outage) is one whatever became of the others, and ends the attempt.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    handled: bool,
    failures: Vec<(Blames, Option<String>)>,
}

impl Evidence {
    pub(super) fn handled(&mut self) {
        self.handled = true;
    }

    pub(super) fn failed(&mut self, failure: &Failure) {
        let words = match failure {
            Failure::Reject(_) => None,
            Failure::Retry(_) | Failure::Unavailable(_) => Some(failure.to_string()),
        };
        self.failures.push((blames(failure), words));
    }

    /// Whether trying more messages will hardly show anything else.
    pub(super) fn is_clear(&self) -> bool {
        let unclear = self
            .failures
            .iter()
            .filter(|(of, _)| *of == Blames::Unclear);
        !self.handled && unclear.count() >= TRIES
    }

    /// Whether nothing can be handled, when the messages have been held for so long already.
    pub(super) fn is_outage(&self, held_for: Duration) -> bool {
        let of_one = |blamed| self.failures.iter().any(|(of, _)| *of == blamed);
        if of_one(Blames::Outage) {
            return true;
        }
        !self.handled
            && (of_one(Blames::Unclear) || (held_for < SAME_FAILURE_LIMIT && self.is_the_same()))
    }

    fn is_the_same(&self) -> bool {
        match &self.failures[..] {
            [(_, Some(first)), others @ ..] if !others.is_empty() => others
                .iter()
                .all(|(_, words)| words.as_ref() == Some(first)),
            _ => false,
        }
    }
}

/// Whether this is an outage only because something took longer than it may.
fn is_time_limit(failure: &Failure) -> bool {
    const QUERY_CANCELLED: &str = "57014";
    let (Failure::Retry(error) | Failure::Unavailable(error)) = failure else {
        return false;
    };
    error.chain().any(|cause| {
        cause.is::<tokio::time::error::Elapsed>()
            || cause.downcast_ref().and_then(sqlstate).as_deref() == Some(QUERY_CANCELLED)
    })
}

/// The kind of a failure in one word, for metrics: the SQLSTATE if it has one.
pub(super) fn error_type(failure: &Failure) -> String {
    let (Failure::Retry(error) | Failure::Unavailable(error)) = failure else {
        return "rejected".to_owned();
    };
    let code = error
        .chain()
        .find_map(|cause| cause.downcast_ref().and_then(sqlstate));
    code.unwrap_or_else(|| "unavailable".to_owned())
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_database_that_is_away_is_an_outage_however_it_is_wrapped() {
        let away = Failure::from(sqlx::Error::PoolTimedOut);
        assert_eq!(blames(&away), Blames::Outage);
        let wrapped = Err::<(), _>(sqlx::Error::WorkerCrashed).context("cannot store");
        let wrapped = wrapped.map_err(|error| Failure::from(error.context("again")));
        assert!(wrapped.is_err_and(|failure| blames(&failure) == Blames::Outage));
        let mail = Failure::unavailable(anyhow!("no mail server"));
        assert_eq!(blames(&mail), Blames::Outage);
    }

    #[test]
    fn what_speaks_of_the_message_is_no_outage() {
        for failure in [
            Failure::from(sqlx::Error::RowNotFound),
            Failure::retry(anyhow!("too early")),
            Failure::reject("never"),
        ] {
            assert_eq!(blames(&failure), Blames::Message, "{failure}");
        }
    }

    #[test]
    fn whether_a_failure_counts_is_decided_by_all_that_were_tried() {
        let data = || Some(Failure::retry(anyhow!("out of range")));
        let other = || Some(Failure::retry(anyhow!("no such order")));
        let never = || Some(Failure::reject("never"));
        let schema = || Some(Failure::from(sqlx::Error::ColumnNotFound("sku".into())));
        let away = || Some(Failure::from(sqlx::Error::PoolTimedOut));
        let handled = || None;
        let (at_once, later) = (Duration::ZERO, SAME_FAILURE_LIMIT);
        for (tried, held_for, outage) in [
            (vec![data()], at_once, false),
            (vec![schema()], at_once, true),
            (vec![away()], at_once, true),
            // The same for all, for a while.
            (vec![data(), data()], at_once, true),
            (vec![data(), data()], later, false),
            (vec![data(), other()], at_once, false),
            (vec![never(), never()], at_once, false),
            (vec![data(), data(), never()], at_once, false),
            // Others succeed.
            (vec![data(), data(), handled()], at_once, false),
            (vec![handled(), data(), data()], at_once, false),
            (vec![schema(), handled()], at_once, false),
            (vec![handled(), schema()], at_once, false),
            (vec![handled(), away()], at_once, true),
            // Nobody succeeds, and the schema is not as it should be.
            (vec![schema(), data()], at_once, true),
            (vec![schema(), schema()], later, true),
        ] {
            let mut evidence = Evidence::default();
            for result in &tried {
                match result {
                    Some(failure) => evidence.failed(failure),
                    None => evidence.handled(),
                }
            }
            assert_eq!(evidence.is_outage(held_for), outage, "{tried:?}");
        }
    }

    #[tokio::test]
    async fn a_batch_is_tried_one_by_one_unless_nothing_can_be_handled() {
        let late = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>());
        let elapsed = late.await.err().map(Failure::unavailable);
        let failures = [
            (Failure::reject("never"), true),
            (Failure::retry(anyhow!("too early")), true),
            (Failure::from(sqlx::Error::PoolTimedOut), false),
            (Failure::unavailable(anyhow!("no mail server")), false),
        ];
        for (failure, expected) in failures.into_iter().chain(elapsed.map(|late| (late, true))) {
            assert_eq!(may_succeed_one_by_one(&failure, 2), expected, "{failure}");
            assert!(!may_succeed_one_by_one(&failure, 1), "{failure}");
        }
    }
}
