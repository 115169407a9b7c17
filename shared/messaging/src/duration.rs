use std::time::Duration;

use jiff::SignedDuration;

/// Parses `250ms`, `5s`, `15m`, `2h` and the like.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<i64>().ok())
        .map_or_else(
            || text.parse().map_err(|error| format!("{error}")),
            |days| {
                let hours = days
                    .checked_mul(24)
                    .filter(|hours| *hours < i64::MAX / 3600);
                let duration = hours.map(SignedDuration::from_hours);
                duration.ok_or_else(|| "this is too long".to_owned())
            },
        )?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_with_a_unit() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("15m", 900_000),
            ("2h", 7_200_000),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "5",
            "soon",
            "-5s",
            "-1d",
            "1e3s",
            "99999999999999999999d",
            "999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
