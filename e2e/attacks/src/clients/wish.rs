use std::time::Duration;

use checker::Line;
use fastrand::Rng;
use serde_json::{Value, json};

/// Of these there is more than anybody buys.
const PRODUCTS: [&str; 4] = ["KAYAK-SOLO", "PADDLE-CARBON", "ROPE-THROW", "MAP-RIVERS"];
/// Of this there are three, and now and then one more.
pub(super) const SCARCE: &str = "GATE-WHEEL";

/// What a client does after its order is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Pay as soon as the order is confirmed.
    Pay,
    /// Cancel.
    Cancel,
    /// Both at once, as two people with one account do.
    Race,
    /// Nothing: the payment deadline decides.
    Forget,
}

/// What a client asks for.
pub(super) struct Wish {
    pub(super) lines: Vec<Line>,
    pub(super) body: Value,
    pub(super) key: Option<String>,
    /// The client loses its patience with the first request after so long.
    pub(super) first_limit: Option<Duration>,
    /// The first request is sent twice at the same time.
    pub(super) is_double: bool,
    pub(super) plan: Plan,
    /// How long the client thinks before it does so.
    pub(super) pause: Duration,
    /// Somebody delivers one of what is scarce.
    pub(super) restocks: bool,
}

impl Wish {
    pub(super) fn new(name: &str, email: &str, rng: &mut Rng) -> Self {
        let mut customer = json!({"email": email});
        if rng.u8(..100) < 10 {
            customer["tier"] = "vip".into();
            customer["phone"] = format!("+49301234{:04}", rng.u16(..10_000)).into();
        }
        let first = rng.usize(..PRODUCTS.len());
        let sku = if rng.u8(..100) < 3 {
            SCARCE
        } else {
            PRODUCTS[first]
        };
        let line = |sku: &str, quantity| Line {
            sku: sku.to_owned(),
            quantity,
        };
        let mut lines = vec![line(sku, rng.i64(1..=3))];
        if rng.bool() {
            let second = PRODUCTS[(first + 1) % PRODUCTS.len()];
            lines.push(line(second, 1));
        }
        let is_keyed = rng.u8(..100) < 70;
        let plan = match rng.u8(..100) {
            0..45 => Plan::Pay,
            45..65 => Plan::Cancel,
            65..75 => Plan::Race,
            _ => Plan::Forget,
        };
        Self {
            body: json!({"customer": customer, "lines": lines}),
            lines,
            key: is_keyed.then(|| format!("chaos-{name}")),
            first_limit: (rng.u8(..100) < 10).then(|| Duration::from_millis(rng.u64(1..40))),
            is_double: is_keyed && rng.u8(..100) < 10,
            plan,
            pause: Duration::from_millis(rng.u64(..3_000)),
            restocks: rng.u8(..100) < 1,
        }
    }
}
