use serde::Deserialize;
use serde_json::Value;
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

/// The text in which a letter is looked for: its ids and type, its reason, the values of its headers, and the beginning
/// of its body.
#[must_use]
pub fn searched(ids: &[&Option<String>], reason: &str, headers: &Value, body: &[u8]) -> String {
    let ids = ids.iter().filter_map(|id| id.as_deref());
    let headers = headers.as_array().into_iter().flatten();
    let values = headers.filter_map(|header| header["value"].as_str());
    let around: Vec<_> = ids.chain([reason]).chain(values).collect();
    let around = around.join("\n");
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
