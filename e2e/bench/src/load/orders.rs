use serde_json::json;
use uuid::Uuid;

/// Of these there is more than any benchmark buys.
const PRODUCTS: [&str; 4] = ["KAYAK-SOLO", "PADDLE-CARBON", "ROPE-THROW", "MAP-RIVERS"];

/// Bodies of orders as a shop may see them: one or two lines, every tenth customer is a `vip`.
pub(super) fn bodies() -> Vec<String> {
    let bodies = (0..100).map(|number| {
        let first = PRODUCTS[number % PRODUCTS.len()];
        let second = PRODUCTS[(number + 1) % PRODUCTS.len()];
        let mut lines = vec![json!({"sku": first, "quantity": 1 + number % 3})];
        if number % 2 == 1 {
            lines.push(json!({"sku": second, "quantity": 1}));
        }
        let mut customer = json!({"email": format!("customer-{number}@load.example")});
        if number % 10 == 0 {
            customer["tier"] = "vip".into();
            customer["phone"] = format!("+49301234{number:03}").into();
        }
        json!({"customer": customer, "lines": lines}).to_string()
    });
    bodies.collect()
}

/// The order's id from `/api/orders/{id}`.
pub(super) fn id(location: &str) -> Option<Uuid> {
    location.rsplit('/').next()?.parse().ok()
}
