use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt, ready};

/// A database that answered somebody so short a time ago would answer the next one too. Longer than those who ask
/// again and again pause.
const RECENT: Duration = Duration::from_millis(2_500);

/// For so long a check that passed stands for what only it sees: tables that are gone, rights that are taken away.
const CHECKED: Duration = Duration::from_secs(10);

/// What is known of a database without asking it, from those who have asked lately; clones share it.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// When somebody was last answered; never, if the last one was not.
    answered: Option<Instant>,
    /// When the check last passed; never, if somebody was not answered since.
    checked: Option<Instant>,
}

impl Answers {
    /// Takes note of whether somebody has just been answered. To be told of statements that run again and again.
    pub fn note(&self, is_answered: bool) {
        self.known().note(is_answered, Instant::now());
    }

    /// The same check, which is spared while the database is known to answer. What fails is asked at once: the check
    /// says why.
    pub fn spare<C>(
        &self,
        check: C,
    ) -> impl Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static + use<C>
    where
        C: Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static,
    {
        let answers = self.clone();
        move || -> BoxFuture<'static, anyhow::Result<()>> {
            if answers.known().is_well(Instant::now()) {
                return ready(Ok(())).boxed();
            }
            let (answers, checking) = (answers.clone(), check());
            async move {
                let checked = checking.await;
                answers.known().checked(checked.is_ok(), Instant::now());
                checked
            }
            .boxed()
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn note(&mut self, is_answered: bool, now: Instant) {
        self.answered = is_answered.then_some(now);
        self.checked = self.checked.filter(|_| is_answered);
    }

    fn checked(&mut self, has_passed: bool, now: Instant) {
        self.answered = has_passed.then_some(now);
        self.checked = self.answered;
    }

    fn is_well(&self, now: Instant) -> bool {
        let is_within = |at: Option<Instant>, limit: Duration| {
            at.is_some_and(|at| now.saturating_duration_since(at) < limit)
        };
        is_within(self.answered, RECENT) && is_within(self.checked, CHECKED)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_database_is_well_while_somebody_is_answered_and_the_check_has_passed() {
        let (mut known, start) = (Known::default(), Instant::now());
        known.note(true, start);
        assert!(!known.is_well(start), "nobody has checked");
        known.checked(true, start);
        assert!(known.is_well(start));
        assert!(!known.is_well(start + RECENT), "nobody was answered since");
        let last = start + CHECKED - Duration::from_millis(1);
        known.note(true, last);
        assert!(known.is_well(last));
        assert!(!known.is_well(start + CHECKED), "the check is too old");
    }

    #[test]
    fn one_who_is_not_answered_is_enough_to_ask_again() {
        let (mut known, start) = (Known::default(), Instant::now());
        known.checked(true, start);
        known.note(false, start);
        known.note(true, start);
        assert!(!known.is_well(start), "the check has to pass again");
        known.checked(true, start);
        known.checked(false, start);
        known.note(true, start);
        assert!(!known.is_well(start), "the check has failed");
    }

    #[tokio::test]
    async fn a_check_is_spared_until_something_fails() -> anyhow::Result<()> {
        let (answers, asked) = (Answers::default(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&asked);
        let check = answers.spare(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            ready(Ok(())).boxed()
        });
        check().await?;
        check().await?;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        answers.note(false);
        check().await?;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        Ok(())
    }
}
