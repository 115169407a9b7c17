//! Clients as a shop has them: some repeat themselves, some give up too early, some change their
//! minds. They remember what they were answered.

mod client;
mod ledger;
mod patience;
mod wish;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use fastrand::Rng;
use harness::Gateway;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use client::Client;
pub use ledger::Ledger;

/// So many clients may wait for the answer to their order; when they do, the others queue up.
const AT_ONCE: u32 = 64;

/// Many clients who want one order each.
pub struct Clients {
    gateway: Gateway,
    ledger: Arc<Ledger>,
    healed: watch::Sender<Option<Instant>>,
    is_placed: AtomicBool,
    is_over: AtomicBool,
}

impl Clients {
    /// Clients of this gateway, whose answers go to the ledger.
    #[must_use]
    pub fn new(gateway: Gateway, ledger: Arc<Ledger>) -> Self {
        Self {
            gateway,
            ledger,
            healed: watch::channel(None).0,
            is_placed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    /// So many orders within about this time, as chance will have it: the same for the same seed as
    /// far as the clients have it in their hands. Returns when every client has its answers or has
    /// lost its patience.
    pub async fn run(&self, seed: u64, orders: usize, time: Duration) {
        let start = Instant::now();
        let places = Arc::new(Semaphore::new(AT_ONCE as usize));
        let mut healed = self.healed.subscribe();
        let mut clients = JoinSet::new();
        for number in 0..orders {
            let part = u32::try_from(number).unwrap_or(u32::MAX);
            let due = time * part / u32::try_from(orders).unwrap_or(u32::MAX);
            tokio::select! {
                () = sleep_until(start + due) => {}
                // What is left when everything is healed comes at once.
                _ = healed.wait_for(Option::is_some) => {}
            }
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                break;
            };
            // Neighbouring seeds give unlike clients only if they are far apart.
            let rng = Rng::with_seed(
                seed.wrapping_add((number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            );
            let client = Client {
                gateway: self.gateway.clone(),
                ledger: Arc::clone(&self.ledger),
                healed: self.healed.subscribe(),
                name: format!("{seed}-{number}"),
                rng,
            };
            clients.spawn(client.run(place));
            while clients.try_join_next().is_some() {}
        }
        // All places are free when nobody waits for the answer to an order any more.
        drop(places.acquire_many(AT_ONCE).await);
        self.is_placed.store(true, Relaxed);
        clients.join_all().await;
        self.is_over.store(true, Relaxed);
    }

    /// Everything is healed: orders that are still to come come at once, and nobody waits for ever.
    pub fn all_is_healed(&self) {
        self.healed.send_replace(Some(Instant::now()));
    }

    /// Whether every order was answered, or given up by its client.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        self.is_placed.load(Relaxed)
    }

    /// Whether no client wants anything any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}
