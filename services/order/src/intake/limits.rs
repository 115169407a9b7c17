//! Who gives up when. Each limit comes a little before the next one, so that the most exact answer wins:
//! the transaction ends first and says what became of it, then the request stops waiting for it, then the
//! HTTP server gives the request up.

use std::time::{Duration, Instant};

/// For one transaction.
const TRANSACTION: Duration = Duration::from_secs(5);
/// Between the end of a transaction and the deadline of the requests in it.
const BEFORE_DEADLINE: Duration = Duration::from_millis(500);
/// With less time than this before its transaction has to end, a request is not begun with: it would cut
/// short the time of all that share the transaction.
const WORTH_BEGINNING: Duration = Duration::from_secs(1);

/// Until when a request with this deadline waits for its answer.
pub(super) fn of_waiting(deadline: Instant) -> Instant {
    before(deadline, BEFORE_DEADLINE / 2)
}

/// Whether a transaction for a request with this deadline would have enough time.
pub(super) fn is_worth_beginning(deadline: Instant, now: Instant) -> bool {
    before(deadline, BEFORE_DEADLINE + WORTH_BEGINNING) > now
}

/// Until when a transaction for requests with these deadlines must have ended.
pub(super) fn of_transaction(deadlines: impl Iterator<Item = Instant>, now: Instant) -> Instant {
    deadlines
        .map(|deadline| before(deadline, BEFORE_DEADLINE))
        .fold(now + TRANSACTION, Instant::min)
}

fn before(moment: Instant, pause: Duration) -> Instant {
    moment.checked_sub(pause).unwrap_or(moment)
}
