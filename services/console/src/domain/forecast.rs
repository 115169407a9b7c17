/// Rates that differ by less than this share of the larger one count as equal.
const EQUAL: f64 = 0.02;

/// What becomes of the messages that wait, if everything goes on as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Forecast {
    /// Nothing waits.
    Empty,
    /// The queue is empty after so many seconds, and gets shorter by so many messages a second.
    Drains {
        /// Seconds until it is empty.
        seconds: f64,
        /// Messages per second.
        per_second: f64,
    },
    /// It never gets empty at this rate: it grows by so many messages a second.
    Grows {
        /// Messages per second.
        per_second: f64,
    },
    /// As many come as go.
    Steady,
    /// The rates are not known yet.
    Unknown,
}

/// Looks ahead from what waits and how fast messages come and go.
#[must_use]
pub fn forecast(depth: Option<u64>, arriving: Option<f64>, leaving: Option<f64>) -> Forecast {
    let Some(depth) = depth else {
        return Forecast::Unknown;
    };
    if depth == 0 {
        return Forecast::Empty;
    }
    let (Some(arriving), Some(leaving)) = (arriving, leaving) else {
        return Forecast::Unknown;
    };
    let difference = leaving - arriving;
    if difference.abs() <= EQUAL * leaving.max(arriving) {
        return Forecast::Steady;
    }
    if difference < 0.0 {
        let per_second = -difference;
        return Forecast::Grows { per_second };
    }
    Forecast::Drains {
        seconds: depth as f64 / difference,
        per_second: difference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_drains_when_more_leaves_than_arrives() {
        let drains = forecast(Some(1_000), Some(50.0), Some(150.0));
        let (seconds, per_second) = (10.0, 100.0);
        assert_eq!(
            drains,
            Forecast::Drains {
                seconds,
                per_second
            }
        );
    }

    #[test]
    fn a_queue_that_grows_never_gets_empty() {
        let grows = forecast(Some(1), Some(500.0), Some(100.0));
        assert_eq!(grows, Forecast::Grows { per_second: 400.0 });
        let nobody_consumes = forecast(Some(1), Some(1.0), Some(0.0));
        assert_eq!(nobody_consumes, Forecast::Grows { per_second: 1.0 });
    }

    #[test]
    fn nothing_is_foretold_from_nothing() {
        assert_eq!(forecast(None, Some(1.0), Some(2.0)), Forecast::Unknown);
        assert_eq!(forecast(Some(5), None, Some(2.0)), Forecast::Unknown);
        assert_eq!(forecast(Some(5), Some(1.0), None), Forecast::Unknown);
    }

    #[test]
    fn an_empty_queue_is_empty_whatever_the_rates_are() {
        assert_eq!(forecast(Some(0), None, None), Forecast::Empty);
        assert_eq!(forecast(Some(0), Some(100.0), Some(1.0)), Forecast::Empty);
    }

    #[test]
    fn rates_that_are_nearly_equal_are_steady() {
        assert_eq!(
            forecast(Some(9), Some(100.0), Some(101.0)),
            Forecast::Steady
        );
        assert_eq!(forecast(Some(9), Some(0.0), Some(0.0)), Forecast::Steady);
    }
}
