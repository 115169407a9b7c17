use crate::store::Progress;

/// No more letters are published at once.
const WINDOW: i64 = 1_000;
/// A job halts when so many of its letters have failed again.
const PATIENCE: i64 = 5;

/// What a job has to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing yet.
    Wait,
    /// At most so many letters may go.
    Publish(i64),
    /// It should not go on by itself.
    Halt(String),
    /// It is done.
    End,
}

/// The first letter goes alone, and the others when it is known what became of it.
pub(super) fn next(progress: Progress) -> Next {
    let Progress {
        may_go,
        waiting,
        sent,
        silent,
        handled,
        failed,
    } = progress;
    if waiting == 0 {
        return if sent == 0 { Next::End } else { Next::Wait };
    }
    if failed >= PATIENCE {
        return Next::Halt(format!("{failed} letters have failed again"));
    }
    match (handled > 0, sent, failed, silent) {
        (true, ..) => Next::Publish(may_go.min(WINDOW)).unless_none(),
        (false, 1.., ..) => Next::Wait,
        (false, _, 1.., _) => Next::Halt("the first letter has failed again".to_owned()),
        (false, _, _, 1..) => Next::Halt("no news of the first letter for a minute".to_owned()),
        (false, ..) => Next::Publish(may_go.min(1)).unless_none(),
    }
}

impl Next {
    fn unless_none(self) -> Self {
        match self {
            Self::Publish(..=0) => Self::Wait,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_sends_one_letter_ahead_and_halts_when_letters_fail_again() {
        let progress = |may_go, waiting, sent, silent, handled, failed| Progress {
            may_go,
            waiting,
            sent,
            silent,
            handled,
            failed,
        };
        let halt = |why: &str| Next::Halt(why.to_owned());
        let (first_fails, silence) = (
            "the first letter has failed again",
            "no news of the first letter for a minute",
        );
        for (progress, expected) in [
            (progress(100, 10, 0, 0, 0, 0), Next::Publish(1)),
            (progress(0, 10, 0, 0, 0, 0), Next::Wait),
            (progress(100, 9, 1, 0, 0, 0), Next::Wait),
            (progress(100, 9, 0, 0, 0, 1), halt(first_fails)),
            (progress(100, 9, 0, 1, 0, 0), halt(silence)),
            (progress(3, 9, 0, 0, 1, 0), Next::Publish(3)),
            (progress(10_000, 9, 5, 0, 1, 0), Next::Publish(WINDOW)),
            (progress(3, 9, 2, 0, 5, 4), Next::Publish(3)),
            (
                progress(3, 9, 2, 3, 5, 5),
                halt("5 letters have failed again"),
            ),
            (progress(3, 0, 2, 0, 9, 5), Next::Wait),
            (progress(3, 0, 0, 1, 9, 5), Next::End),
        ] {
            assert_eq!(next(progress), expected, "{progress:?}");
        }
    }
}
