use std::collections::HashMap;

use crate::outbox::publish::PublishError;
use crate::outbox::row::Row;
use crate::transport::Transport;

/// What a broker says to the rows of one window that go to one address.
#[derive(Default)]
pub(super) struct Answers<'a> {
    pub(super) taken: usize,
    pub(super) refused: usize,
    /// It takes nothing at all.
    pub(super) is_closed: bool,
    /// The last row that was refused, and why.
    pub(super) last: Option<(&'a Row, &'a str)>,
}

/// The answers by address, without the rows of which the broker says nothing.
pub(super) fn by_address<'a>(
    transport: Transport,
    rows: &'a [Row],
    results: &'a [Result<(), PublishError>],
) -> HashMap<String, Answers<'a>> {
    let mut addresses: HashMap<String, Answers<'a>> = HashMap::new();
    for (row, result) in rows.iter().zip(results) {
        let refusal = match result {
            Ok(()) => None,
            Err(PublishError::Unavailable(_)) => continue,
            Err(PublishError::Refused(reason)) => Some((reason, false)),
            Err(PublishError::Closed(reason)) => Some((reason, true)),
        };
        let address = row.destination_name(transport);
        let answers = addresses.entry(address).or_default();
        match refusal {
            None => answers.taken += 1,
            Some((reason, is_closed)) => {
                answers.refused += 1;
                answers.is_closed |= is_closed;
                answers.last = Some((row, reason));
            }
        }
    }
    addresses
}
