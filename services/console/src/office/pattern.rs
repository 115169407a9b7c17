/// No more of a reason is needed to tell it from others.
const LONGEST: usize = 200;

/// A reason without what differs from message to message: ids and numbers become `#`.
#[must_use]
pub fn pattern(reason: &str) -> String {
    let mut masked = String::new();
    let mut rest = reason;
    while let Some(first) = rest.chars().next()
        && masked.len() < LONGEST
    {
        let length = id_length(rest).or_else(|| digits(rest));
        match length {
            Some(length) => {
                masked.push('#');
                rest = &rest[length..];
            }
            None => {
                masked.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    masked
}

/// The length of the UUID with which a text begins.
fn id_length(text: &str) -> Option<usize> {
    const LENGTH: usize = 36;
    let id = text.get(..LENGTH)?;
    uuid::Uuid::try_parse(id).ok().map(|_| LENGTH)
}

/// The length of the number with which a text begins.
fn digits(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    Some(end.unwrap_or(text.len())).filter(|length| *length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_numbers_and_ids_have_one_pattern() {
        for (reason, expected) in [
            ("", ""),
            ("no such order", "no such order"),
            (
                "order 019ac1d2-7c8e-7000-8000-000000000001 is unknown",
                "order # is unknown",
            ),
            (
                "unsupported version of message type `spillway.reserve-stock.v9`",
                "unsupported version of message type `spillway.reserve-stock.v#`",
            ),
            (
                "expected `,` at line 1 column 17",
                "expected `,` at line # column #",
            ),
            ("数量 12 太多", "数量 # 太多"),
        ] {
            assert_eq!(pattern(reason), expected);
        }
        assert_eq!(pattern(&"x".repeat(1_000)).len(), LONGEST);
    }
}
