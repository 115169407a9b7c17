use std::sync::Arc;

use database::Sessions;
use sqlx::PgPool;

use super::holds::Holds;
use super::metrics::ConsumeMetrics;
use super::runner::BatchRunner;
use super::settlement::RetryPolicy;
use super::spans::ProcessSpans;
use crate::controls::Controls;
use crate::outbox::{Handovers, Pressure};

/// What a consumer is given, whichever broker it consumes from; cheap to clone.
#[derive(Clone)]
pub(crate) struct Consuming {
    /// The service on whose behalf it consumes.
    pub(crate) service: &'static str,
    pub(crate) pool: PgPool,
    pub(crate) sessions: Sessions,
    pub(crate) handovers: Arc<Handovers>,
    pub(crate) pressure: Arc<Pressure>,
    pub(crate) policy: RetryPolicy,
    pub(crate) metrics: Arc<ConsumeMetrics>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) spans: ProcessSpans,
    pub(crate) controls: Arc<Controls>,
}

impl Consuming {
    /// Runs messages of a queue or topic through this handler. Its name is the key of its entries in
    /// the inbox.
    pub(crate) fn runner<H>(
        &self,
        destination: &'static str,
        name: &'static str,
        handler: H,
    ) -> BatchRunner<H> {
        BatchRunner {
            sessions: self.sessions.clone(),
            handovers: Arc::clone(&self.handovers),
            pressure: Arc::clone(&self.pressure),
            metrics: Arc::clone(&self.metrics),
            holds: Arc::clone(&self.holds),
            controls: Arc::clone(&self.controls),
            destination,
            name,
            repeatable: false,
            handler,
        }
    }
}

/// The consumer group of a service on a topic: one for each, so that all members of a group read the
/// same topic.
pub(crate) fn group(service: &str, topic: &str) -> String {
    format!("{service}.{topic}")
}
