use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::client::Client;

/// The longest page there is.
const LIST: &str = "/api/orders?limit=100";
/// Where nobody answers at all, asking at once again would measure the reader.
const PAUSE: Duration = Duration::from_millis(100);

/// Clients that ask for the same page again and again, however they are answered.
pub(super) struct Readers {
    client: Client,
    request: Vec<u8>,
    listed: Cell<u64>,
    refused: Cell<u64>,
}

impl Readers {
    /// So many, each with a connection of its own. They go on for as long as the runtime does.
    pub(super) fn start(url: &str, readers: usize) -> Result<Rc<Self>> {
        let client = Client::new(url, readers)?;
        let request = client.reading(LIST);
        let all = Rc::new(Self {
            client,
            request,
            listed: Cell::default(),
            refused: Cell::default(),
        });
        for _ in 0..readers {
            spawn_local(Rc::clone(&all).read());
        }
        Ok(all)
    }

    /// How many pages they got so far.
    pub(super) fn listed(&self) -> u64 {
        self.listed.get()
    }

    /// How often they got none.
    pub(super) fn refused(&self) -> u64 {
        self.refused.get()
    }

    async fn read(self: Rc<Self>) {
        loop {
            let count = match self.client.send(&self.request).await {
                Ok(answer) if answer.status == 200 => &self.listed,
                Ok(_) => &self.refused,
                Err(_) => {
                    sleep(PAUSE).await;
                    &self.refused
                }
            };
            count.set(count.get() + 1);
        }
    }
}
