use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::channel::{Address, Outgoing};

/// How long an address has to lead nowhere until the bindings are doubted. Whatever was removed is declared
/// again long before.
pub(super) const DOUBT: Duration = Duration::from_secs(15);
/// More addresses than this are not remembered: they may be anybody's choice.
const MOST: usize = 1000;

/// The addresses from which a broker returns every message, because no queue is bound for it.
#[derive(Default)]
pub(super) struct Unrouted {
    addresses: Mutex<HashMap<Address, Returned>>,
}

/// When a message was first and last returned, with none in between that was not.
struct Returned {
    first: Instant,
    last: Instant,
}

impl Unrouted {
    /// The broker has confirmed these messages, and those to some addresses it has returned before.
    pub(super) fn note<T>(&self, window: &[Outgoing], returned: &HashMap<Address, T>) {
        let mut addresses = self.lock();
        if addresses.is_empty() && returned.is_empty() {
            return;
        }
        let now = Instant::now();
        for address in window.iter().map(Outgoing::address) {
            if !returned.contains_key(&address) {
                addresses.remove(&address);
            } else if let Some(returned) = addresses.get_mut(&address) {
                returned.last = now;
            } else if addresses.len() < MOST {
                let (first, last) = (now, now);
                addresses.insert(address, Returned { first, last });
            }
        }
    }

    /// The addresses that have led nowhere for long. What was not tried any more is forgotten.
    pub(super) fn lasting(&self) -> Vec<Address> {
        let mut addresses = self.lock();
        addresses.retain(|_, returned| returned.last.elapsed() < DOUBT);
        let lasting = addresses
            .iter()
            .filter(|(_, returned)| returned.first.elapsed() >= DOUBT);
        lasting.map(|(address, _)| address.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Address, Returned>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
