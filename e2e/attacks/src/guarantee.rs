use clap::ValueEnum;

/// A guarantee that the services can give up, by the name that they have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the services document their guarantees")]
pub enum Guarantee {
    Outbox,
    Inbox,
    Confirms,
    ManualAck,
    Persistence,
    Retry,
}

impl Guarantee {
    /// The environment of services that give it up.
    #[must_use]
    pub fn settings(self) -> String {
        let name = self.to_possible_value();
        let name = name.as_ref().map_or("", |name| name.get_name());
        format!("SPILLWAY_DEMO=true SPILLWAY_WITHOUT={name}")
    }
}
