use tokio_util::sync::CancellationToken;

use super::Bus;
use crate::rabbitmq::{ControlsPublisher, listen};

impl Bus {
    /// For whoever asks something of all services.
    #[must_use]
    pub fn controls_publisher(&self) -> ControlsPublisher {
        ControlsPublisher::new(self.inner.rabbitmq.clone())
    }

    /// Hears what is asked of the consumers of this process, and says so in the log, until stopped.
    /// Nothing is heard unless this is a demonstration.
    pub(super) async fn hear_controls(&self, token: &CancellationToken) {
        if !self.inner.args.demo.demo {
            return;
        }
        let controls = &self.inner.consuming.controls;
        tokio::select! {
            () = controls.tell() => {}
            () = listen(&self.inner.rabbitmq, controls, token) => {}
        }
    }
}
