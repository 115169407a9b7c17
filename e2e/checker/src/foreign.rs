use uuid::Uuid;

const FOREIGN: &str = "foreign ";

/// The body of a message whose properties nobody may be able to read, not even whoever looks at the dead
/// letters, so that its id is in the body.
#[must_use]
pub fn foreign_body(id: Uuid) -> String {
    format!("{FOREIGN}{id}")
}

/// The id of a message that has such a body.
pub(crate) fn foreign_id(body: &str) -> Option<&str> {
    body.strip_prefix(FOREIGN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_foreign_message_is_found_in_its_body_and_in_no_other() {
        let id = Uuid::now_v7();
        assert_eq!(foreign_id(&foreign_body(id)), Some(id.to_string().as_str()));
        assert_eq!(foreign_id("{}"), None);
    }
}
