use clap::ValueEnum;

/// A part of the benchmark. They come in this order, so that none leaves a backlog to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// What the system uses while nothing happens.
    Idle,
    /// Time from placed to confirmed, at 50 orders a second.
    Latency,
    /// Messages per second of 1, 2, 4 and 8 consumers, each of which waits 20 ms for each message.
    Scaling,
    /// E-mails delivered per second, the whole chain.
    Delivered,
    /// Orders confirmed per second, with `notification` stopped.
    Confirmed,
    /// How long 20,000 orders take that waited for `inventory`. Beside it `notification` works off what has come
    /// while it was stopped.
    Drain,
    /// Orders accepted per second, with `inventory` and `notification` stopped.
    Accepted,
    /// What the console costs the orders that are confirmed per second, how fast it takes in what it missed, and
    /// how it does with a million orders and 10,000 dead letters.
    Console,
    /// What the tables of a year, a flood of readers, a snapshot that is held open and a silent database do to
    /// orders. It takes half an hour, so it comes only when it is named.
    Volume,
}

impl Part {
    /// Those of these parts, or all but the volume when there are none, each once and in their order.
    #[must_use]
    pub fn in_order(parts: &[Self]) -> Vec<Self> {
        let is_wanted = |part: &&Self| match parts {
            [] => **part != Self::Volume,
            _ => parts.contains(part),
        };
        let all = Self::value_variants().iter();
        all.filter(is_wanted).copied().collect()
    }

    /// The services that are stopped for it.
    pub(super) fn stopped(self) -> &'static [&'static str] {
        match self {
            Self::Idle | Self::Latency | Self::Scaling | Self::Delivered => &[],
            Self::Confirmed | Self::Console | Self::Volume => &["notification"],
            Self::Drain => &["inventory"],
            Self::Accepted => &["inventory", "notification"],
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Latency => "latency",
            Self::Scaling => "scaling",
            Self::Delivered => "delivered",
            Self::Confirmed => "confirmed",
            Self::Drain => "drain",
            Self::Accepted => "accepted",
            Self::Console => "console",
            Self::Volume => "volume",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part::{Accepted, Confirmed, Idle, Scaling};
    use super::*;

    #[test]
    fn parts_come_once_and_in_their_order_however_they_are_named() {
        let parts = Part::in_order(&[Accepted, Idle, Confirmed, Idle, Scaling]);
        assert_eq!(parts, [Idle, Scaling, Confirmed, Accepted]);
        assert_eq!(Part::in_order(&[]).len(), 8);
        assert_eq!(Part::in_order(&[Part::Volume]), [Part::Volume]);
    }
}
