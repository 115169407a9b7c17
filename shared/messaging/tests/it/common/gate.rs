use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

/// Stops a handler at a place, so that a test can do something right then.
#[derive(Clone)]
pub(crate) struct Gate {
    reached: Arc<Notify>,
    open: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            reached: Arc::default(),
            open: Arc::new(Semaphore::new(0)),
        }
    }
}

impl Gate {
    /// For the handler: says that it is here, and waits until the gate is open.
    pub(crate) async fn pass(&self) {
        self.reached.notify_one();
        // A semaphore that is never closed gives no error.
        self.open.acquire().await.ok();
    }

    /// For the test: waits until a handler stands at the gate.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// For the test: lets everybody through from now on.
    pub(crate) fn open(&self) {
        self.open.add_permits(1_000);
    }
}
