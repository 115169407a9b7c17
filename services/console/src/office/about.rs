use serde::Deserialize;
use uuid::Uuid;

/// So many bytes of a body, and of everything else, are looked through by a search.
const SEARCHED: usize = 8 * 1024;

/// What the body of a message is about, as far as it says so.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The order.
    pub order_id: Option<Uuid>,
    /// Which version of it.
    pub version: Option<i32>,
}

/// All else is passed over, however much it is.
#[derive(Deserialize)]
struct Content {
    order_id: Option<Uuid>,
    order: Option<Order>,
}

#[derive(Deserialize)]
struct Order {
    id: Option<Uuid>,
    version: Option<i32>,
}

impl About {
    /// What a body says. Nothing if it is of another shape.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let Ok(content) = serde_json::from_slice::<Content>(body) else {
            return Self::default();
        };
        let order = content.order.as_ref();
        Self {
            order_id: content.order_id.or(order.and_then(|order| order.id)),
            version: order.and_then(|order| order.version),
        }
    }
}

/// The text in which a message is looked for: what stands around its body, and the beginning of the body.
#[must_use]
pub fn searched(around: &str, body: &[u8]) -> String {
    let body = &body[..body.len().min(SEARCHED)];
    let around = &around[..around.floor_char_boundary(SEARCHED)];
    storable(&format!("{around}\n{}", String::from_utf8_lossy(body)).to_lowercase())
}

/// PostgreSQL stores no NUL.
#[must_use]
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_tells_its_order_and_version_if_it_has_any() {
        let id = "019ac1d2-7c8e-7000-8000-000000000001";
        let order = id.parse().ok();
        for (body, order_id, version) in [
            (format!(r#"{{"order_id":"{id}","lines":[]}}"#), order, None),
            (
                format!(r#"{{"order":{{"id":"{id}","version":3}}}}"#),
                order,
                Some(3),
            ),
            (r#"{"order_id":7}"#.to_owned(), None, None),
            ("[1,2]".to_owned(), None, None),
            ("no JSON".to_owned(), None, None),
            (String::new(), None, None),
        ] {
            let expected = About { order_id, version };
            assert_eq!(About::of(body.as_bytes()), expected, "{body}");
        }
    }
}
