use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{Compose, Gateway, Letters, Mailbox, Management, eventually, http_client};

/// The running system, as one test has it.
///
/// Tests that only place orders share it. A test that stops, starts or scales something has it
/// alone, and however it ends, everything runs as before when the next test gets it. A test that leaves all
/// containers alone, and wants to see only its own messages, has it in quiet.
pub struct Stack {
    /// The HTTP API.
    pub gateway: Gateway,
    /// The mail catcher.
    pub mailbox: Mailbox,
    /// The dead letters that the console has collected.
    pub letters: Letters,
    /// The management API of RabbitMQ.
    pub rabbitmq: Management,
    /// Stops, starts and scales.
    pub compose: Compose,
    turn: Turn,
}

static TURNS: RwLock<()> = RwLock::const_new(());

enum Turn {
    Shared {
        _guard: RwLockReadGuard<'static, ()>,
    },
    Alone {
        _guard: RwLockWriteGuard<'static, ()>,
    },
    Quiet {
        _guard: RwLockWriteGuard<'static, ()>,
    },
}

impl Stack {
    /// For a test that disturbs nobody.
    pub async fn shared() -> Result<Self> {
        Self::ready(Turn::Shared {
            _guard: TURNS.read().await,
        })
        .await
    }

    /// For a test that stops or scales something.
    pub async fn alone() -> Result<Self> {
        Self::ready(Turn::Alone {
            _guard: TURNS.write().await,
        })
        .await
    }

    /// For a test that wants to see only its own messages, and after which there is nothing to start again.
    pub async fn quiet() -> Result<Self> {
        Self::ready(Turn::Quiet {
            _guard: TURNS.write().await,
        })
        .await
    }

    async fn ready(turn: Turn) -> Result<Self> {
        let http = http_client(Duration::from_secs(15))?;
        let gateway = Gateway::new(http.clone())?;
        let stack = Self {
            letters: Letters::new(gateway.clone()),
            gateway,
            mailbox: Mailbox::new(http.clone())?,
            rabbitmq: Management::new(http)?,
            compose: Compose::from_environment()?,
            turn,
        };
        stack.is_ready().await.context("the system is not ready")?;
        Ok(stack)
    }

    /// Waits until every service answers and the price list has reached `order`.
    pub async fn is_ready(&self) -> Result<()> {
        eventually("all services answer", Duration::from_secs(60), async || {
            let products = self.gateway.get("/api/products").await?;
            let stock = self.gateway.get("/api/stock").await?;
            let nil = uuid::Uuid::nil();
            let notifications = self
                .gateway
                .get(&format!("/api/notifications?order_id={nil}"))
                .await?;
            let console = self.gateway.get("/api/console/stock").await?;
            for answer in [&products, &stock, &notifications, &console] {
                ensure!(answer.status == 200, "{answer:?}");
            }
            let listed = products.body["products"].as_array().map_or(0, Vec::len);
            Ok((listed >= 12).then_some(()))
        })
        .await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if matches!(self.turn, Turn::Alone { .. })
            && let Err(error) = self.compose.restore()
        {
            eprintln!("the system could not be restored: {error:#}");
        }
    }
}
