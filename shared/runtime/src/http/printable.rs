/// A rule for garde: text that others will read has no control characters, and something between its blanks. Whether
/// it may be empty is up to its length.
///
/// # Errors
///
/// When it is not so.
pub fn printable(text: &str, (): &()) -> garde::Result {
    let is_blank = !text.is_empty() && text.trim().is_empty();
    if is_blank || text.chars().any(char::is_control) {
        let wrong = "expected text without control characters";
        return Err(garde::Error::new(wrong));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_read_is_printable() {
        for text in ["", "Ada", " 爱达 "] {
            assert!(printable(text, &()).is_ok(), "{text:?}");
        }
        for text in [" ", "\t", "A\0", "A\nB", "\u{9b}"] {
            assert!(printable(text, &()).is_err(), "{text:?}");
        }
    }
}
