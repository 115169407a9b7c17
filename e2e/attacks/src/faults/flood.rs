//! Clients that read more than anybody needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Result;
use harness::{Gateway, http_client};
use tokio::task::JoinSet;
use tokio::time::sleep;

const READERS: usize = 64;
/// The longest page that there is.
const LIST: &str = "/api/orders?limit=100";
/// Where the page was not given, it is asked for again so much later, however long the answer says.
const PAUSE: Duration = Duration::from_millis(50);
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Readers who do not listen when they are told to come back later. They stop when this is dropped.
pub(crate) struct Flood {
    counts: Arc<Counts>,
    _readers: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    read: AtomicU64,
    refused: AtomicU64,
}

impl Flood {
    pub(super) fn start() -> Result<Self> {
        let gateway = Gateway::new(http_client(TIME_LIMIT)?)?;
        let counts = Arc::new(Counts::default());
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn(read(gateway.clone(), Arc::clone(&counts)));
        }
        Ok(Self {
            counts,
            _readers: readers,
        })
    }

    pub(super) fn remark(&self) -> String {
        let count = |of: &AtomicU64| of.load(Relaxed);
        let (read, refused) = (count(&self.counts.read), count(&self.counts.refused));
        format!("{read} pages read, {refused} refused")
    }
}

async fn read(gateway: Gateway, counts: Arc<Counts>) {
    loop {
        if gateway.bytes(LIST).await.is_ok() {
            counts.read.fetch_add(1, Relaxed);
        } else {
            counts.refused.fetch_add(1, Relaxed);
            sleep(PAUSE).await;
        }
    }
}
