use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};
use serde_json::Number;

/// Deserializes any whole number, also one written as `2.0` or `2e0`, which JSON Schema calls an integer
/// as well.
///
/// A number beyond the type becomes the nearest that the type has: its field is then out of range,
/// which is answered with 422, and not malformed.
///
/// For JSON bodies: `#[serde(deserialize_with = "runtime::http::whole_number")]`.
///
/// # Errors
///
/// When it is no number, or one with a fraction.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    // Numbers of this size have no fractions.
    const HUGE: f64 = 9.2e18;

    let number = Number::deserialize(deserializer)?;
    match (number.as_i64(), number.as_f64().unwrap_or_default()) {
        (Some(number), _) => Ok(number),
        (None, number) if number.abs() > HUGE || number.fract() == 0.0 => Ok(number as i64),
        (None, number) => Err(Error::invalid_type(
            Unexpected::Float(number),
            &"a whole number",
        )),
    }
}

/// The same for a number that may be missing or null.
///
/// For JSON bodies: `#[serde(default, deserialize_with = "runtime::http::maybe_whole_number")]`.
///
/// # Errors
///
/// When it is something else, or has a fraction.
pub fn maybe_whole_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Whole(#[serde(deserialize_with = "whole_number")] i64);

    let number = Option::<Whole>::deserialize(deserializer)?;
    Ok(number.map(|Whole(number)| number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_of_any_size_is_read() {
        for (text, number) in [
            ("0", 0),
            ("-7", -7),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775808", i64::MAX),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
            ("1.0", 1),
            ("-2e3", -2_000),
        ] {
            assert_eq!(read(text).ok(), Some(number), "{text}");
        }
    }

    #[test]
    fn a_number_may_be_missing_where_that_is_said() {
        for (text, number) in [("null", Some(None)), ("2.0", Some(Some(2))), ("2.5", None)] {
            let mut json = serde_json::Deserializer::from_str(text);
            assert_eq!(maybe_whole_number(&mut json).ok(), number, "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["1.5", "1e-1", "\"1\"", "null", "[1]", "true"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    fn read(text: &str) -> serde_json::Result<i64> {
        whole_number(&mut serde_json::Deserializer::from_str(text))
    }
}
