use contracts::topology::{Exchange, ExchangeKind, Topic};
use contracts::{Message, Route};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The queue of most tests. Each test has a virtual host of its own, so the name is free.
pub(crate) const QUEUE: &str = "parcels-in";
/// The exchange of most tests.
pub(crate) const PARCELS: Exchange = Exchange {
    name: "parcels",
    kind: ExchangeKind::Topic,
};

/// A message that each test sends where it wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Parcel {
    #[garde(skip)]
    pub(crate) key: String,
    #[garde(range(min = 0))]
    pub(crate) number: i64,
    /// Known only to the sender.
    #[serde(skip)]
    #[garde(skip)]
    to: Option<Route>,
}

pub(crate) fn parcel(key: impl Into<String>, number: i64) -> Parcel {
    Parcel {
        key: key.into(),
        number,
        to: None,
    }
}

impl Parcel {
    pub(crate) fn via_queue(self, queue: &'static str) -> Self {
        let to = Some(Route::Queue { queue });
        Self { to, ..self }
    }

    pub(crate) fn via_exchange(self, exchange: Exchange, routing_key: &'static str) -> Self {
        let routing_key = routing_key.into();
        let to = Some(Route::Exchange {
            exchange,
            routing_key,
        });
        Self { to, ..self }
    }

    pub(crate) fn via_topic(self, topic: Topic) -> Self {
        let to = Some(Route::Topic { topic });
        Self { to, ..self }
    }
}

impl Message for Parcel {
    const TYPE: &'static str = "test.parcel.v1";

    fn route(&self) -> Route {
        self.to.clone().unwrap_or(Route::Queue { queue: QUEUE })
    }

    fn ordering_key(&self) -> String {
        self.key.clone()
    }
}
