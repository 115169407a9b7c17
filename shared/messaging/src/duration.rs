//! Durations in settings, for example `250ms`, `5s` or `1h 30m`: one that a broker or the database would
//! refuse is refused at the start, where the error names the setting.

use std::time::Duration;

const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);
/// RabbitMQ 4.3 keeps no message longer (`x-message-ttl`), and PostgreSQL reckons further than that.
const LONGEST: Duration = Duration::from_secs(3_650 * 24 * 60 * 60);

/// A value parser for clap: how long a message waits before it is delivered, at most ten years of 365 days.
///
/// # Errors
///
/// When it is no duration, or too long for RabbitMQ.
pub fn parse_delay(text: &str) -> Result<Duration, String> {
    between(Duration::ZERO, text)
}

/// The same for a time after which something is done or forgotten, of at least a millisecond: with none at
/// all it would be done all the time.
///
/// # Errors
///
/// When it is no duration, too short, or too long for PostgreSQL.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    between(SHORTEST_INTERVAL, text)
}

fn between(shortest: Duration, text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration < shortest {
        return Err(format!("it has to be {shortest:?} or more"));
    }
    if duration > LONGEST {
        return Err("it may be 3650d or less".to_owned());
    }
    Ok(duration)
}
