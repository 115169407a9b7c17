//! What the tour shows, in the order in which each step builds on those before it.

use anyhow::Result;
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::{Ground, Screen};

mod burst;
mod kill;
mod place;
mod poison;
mod restart;
mod routing;
mod scale;
mod stop;
mod twice;
mod undo;
mod watch;

/// One thing to see.
pub struct Step {
    /// From 1 on.
    pub number: u8,
    /// What is done.
    pub title: &'static str,
    /// The idea that it shows.
    pub idea: &'static str,
    /// Where to look meanwhile; GATEWAY, MAIL and RABBITMQ stand for addresses.
    pub look: &'static str,
    run: for<'a> fn(&'a Ground, &'a Screen) -> LocalBoxFuture<'a, Result<String>>,
}

impl Step {
    /// Does it and returns what came of it, in one sentence.
    ///
    /// # Errors
    ///
    /// When the system does not do what the step wants to show.
    pub async fn run(&self, ground: &Ground, screen: &Screen) -> Result<String> {
        (self.run)(ground, screen).await
    }
}

/// The step with this number.
#[must_use]
pub fn step(number: u8) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.number == number)
}

/// The whole tour.
pub const STEPS: [Step; 11] = [
    Step {
        number: 1,
        title: "Place an order",
        idea: "Asynchrony: the answer says that the order is accepted; all else happens after it.",
        look: "MAIL/ for the e-mail",
        run: |ground, screen| place::run(ground, screen).boxed_local(),
    },
    Step {
        number: 2,
        title: "One order of a VIP, one of somebody else",
        idea: "Routing: a task has a key, and the bindings of the exchange decide which queues get it.",
        look: "RABBITMQ/#/exchanges/spillway/notifications (guest, guest)",
        run: |ground, screen| routing::run(ground, screen).boxed_local(),
    },
    Step {
        number: 3,
        title: "Stop inventory and order all the same",
        idea: "Decoupling: whoever sends a command need not know whether anybody is there.",
        look: "GATEWAY/#/flow for the queue, or RABBITMQ/#/queues/spillway/inventory.stock-commands",
        run: |ground, screen| stop::run(ground, screen).boxed_local(),
    },
    Step {
        number: 4,
        title: "A burst while inventory is away, then start it again",
        idea: "Peak shaving: the queue rises like water behind a dam, and falls as fast as it can be worked off.",
        look: "GATEWAY/#/peak, where the height between the two curves is what waits, and the width how long",
        run: |ground, screen| burst::run(ground, screen).boxed_local(),
    },
    Step {
        number: 5,
        title: "Scale inventory to four",
        idea: "Competing consumers: the queue deals out the work, and nothing else has to be configured.",
        look: "GATEWAY/#/scaling, or docker compose ps inventory; ./dev autoscale does it by what waits",
        run: |ground, screen| scale::run(ground, screen).boxed_local(),
    },
    Step {
        number: 6,
        title: "kill -9 in the middle",
        idea: "Reliability: what was not acknowledged comes again, and the inbox knows what was finished.",
        look: "docker compose logs -f inventory",
        run: |ground, screen| kill::run(ground, screen).boxed_local(),
    },
    Step {
        number: 7,
        title: "A poison message among healthy ones",
        idea: "Dead letters: what can never be handled is put aside with its reason and stops nobody.",
        look: "GATEWAY/#/letters, or ./dev letters",
        run: |ground, screen| poison::run(ground, screen).boxed_local(),
    },
    Step {
        number: 8,
        title: "Restart a broker",
        idea: "The outbox: orders are accepted without RabbitMQ, and what is in a durable queue survives.",
        look: "docker compose logs -f rabbitmq order",
        run: |ground, screen| restart::run(ground, screen).boxed_local(),
    },
    Step {
        number: 9,
        title: "The same key twice",
        idea: "Idempotence: a client that did not see the answer asks again, and gets the same order.",
        look: "GATEWAY/order/docs/ for the header Idempotency-Key",
        run: |ground, screen| twice::run(ground, screen).boxed_local(),
    },
    Step {
        number: 10,
        title: "Change your mind, then read the whole story",
        idea: "Compensation and replay: undoing is one more message, and the topic keeps what happened in order.",
        look: "GATEWAY/inventory/docs/ for the stock",
        run: |ground, screen| undo::run(ground, screen).boxed_local(),
    },
    Step {
        number: 11,
        title: "A burst as the page shows it",
        idea: "Observability: one sentence says what is stuck and since when, and the dam is seen filling.",
        look: "GATEWAY/#/peak: the sentence above everything, the height and the width between the two curves, and \
               the forecast under them",
        run: |ground, screen| watch::run(ground, screen).boxed_local(),
    },
];
