//! Is the process alive, and is it ready for work?

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt, join_all};
use serde::Serialize;

/// A check that has not answered by then counts as failed.
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The readiness checks of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<Vec<Check>>>,
}

#[derive(Clone)]
struct Check {
    name: &'static str,
    required: bool,
    run: Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>,
}

/// What the checks said.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether every required check passed.
    pub ready: bool,
    /// One entry per check, in the order of their registration.
    pub checks: Vec<Outcome>,
}

/// What one check said.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// What was checked.
    pub name: &'static str,
    /// Whether the process is unready without it.
    pub required: bool,
    /// Whether it works.
    pub up: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Health {
    /// Adds something the process cannot work without: while it fails, the process is not ready.
    pub fn required<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.add(name, true, check);
    }

    /// Adds something worth knowing that the process can do without for a while, such as a broker:
    /// orders are accepted into the outbox while both brokers are down.
    pub fn informational<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.add(name, false, check);
    }

    /// Runs all checks at once, each for at most [`CHECK_TIMEOUT`].
    pub async fn report(&self) -> Report {
        let checks = self
            .checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let checks = join_all(checks.iter().map(Check::outcome)).await;
        Report {
            ready: checks.iter().all(|check| check.up || !check.required),
            checks,
        }
    }

    fn add<F, Fut>(&self, name: &'static str, required: bool, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let check = Check {
            name,
            required,
            run: Arc::new(move || check().boxed()),
        };
        self.checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(check);
    }
}

impl Check {
    async fn outcome(&self) -> Outcome {
        let error = match tokio::time::timeout(CHECK_TIMEOUT, (self.run)()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some(format!("no answer within {CHECK_TIMEOUT:?}")),
        };
        Outcome {
            name: self.name,
            required: self.required,
            up: error.is_none(),
            error,
        }
    }
}
