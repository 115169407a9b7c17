use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// No more changes of one edit are told.
const MOST: usize = 100;
/// No more of a value is told.
const LONGEST: usize = 500;

/// One thing that an edit has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Where, as a JSON pointer; empty for the whole body. `type` and `id` for those of the message.
    pub pointer: String,
    /// What stood there, as JSON; null if nothing did.
    pub before: Option<String>,
    /// What stands there, as JSON; null if nothing does.
    pub after: Option<String>,
}

/// What differs between two bodies. Those that are not JSON differ as a whole.
#[must_use]
pub fn changes(before: &[u8], after: &[u8]) -> Vec<Change> {
    if before == after {
        return Vec::new();
    }
    let mut found = Vec::new();
    match (
        serde_json::from_slice(before),
        serde_json::from_slice(after),
    ) {
        (Ok(before), Ok(after)) => compare("", &before, &after, &mut found),
        _ => found.push(Change {
            pointer: String::new(),
            before: Some(cut(&String::from_utf8_lossy(before))),
            after: Some(cut(&String::from_utf8_lossy(after))),
        }),
    }
    found
}

fn compare(pointer: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    if before == after || found.len() >= MOST {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for name in old
                .keys()
                .chain(new.keys().filter(|name| !old.contains_key(*name)))
            {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                differ(&pointer, old.get(name), new.get(name), found);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for index in 0..old.len().max(new.len()) {
                let pointer = format!("{pointer}/{index}");
                differ(&pointer, old.get(index), new.get(index), found);
            }
        }
        _ => found.push(change(pointer, Some(before), Some(after))),
    }
}

fn differ(pointer: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Change>) {
    match (old, new) {
        (Some(old), Some(new)) => compare(pointer, old, new, found),
        _ => found.push(change(pointer, old, new)),
    }
}

fn change(pointer: &str, before: Option<&Value>, after: Option<&Value>) -> Change {
    let text = |value: &Value| cut(&value.to_string());
    Change {
        pointer: cut(pointer),
        before: before.map(text),
        after: after.map(text),
    }
}

/// PostgreSQL stores no NUL.
fn cut(text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}");
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let changes = changes(before.as_bytes(), after.as_bytes());
        let told = changes.into_iter();
        told.map(|change| (change.pointer, change.before, change.after))
            .collect()
    }

    #[test]
    fn an_edit_is_told_by_pointers() {
        let some = |text: &str| Some(text.to_owned());
        for (before, after, expected) in [
            (r#"{"a":1}"#, r#"{"a":1}"#, vec![]),
            (r#"{"a":1}"#, r#"{ "a": 1 }"#, vec![]),
            (
                r#"{"a":{"b/c":1},"gone":true}"#,
                r#"{"a":{"b/c":"x"},"new":[]}"#,
                vec![
                    ("/a/b~1c".to_owned(), some("1"), some("\"x\"")),
                    ("/gone".to_owned(), some("true"), None),
                    ("/new".to_owned(), None, some("[]")),
                ],
            ),
            ("[1,2]", "[1]", vec![("/1".to_owned(), some("2"), None)]),
            (
                "not JSON",
                "{}",
                vec![(String::new(), some("not JSON"), some("{}"))],
            ),
        ] {
            assert_eq!(told(before, after), expected, "{before} {after}");
        }
    }
}
