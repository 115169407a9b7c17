use std::fs;

/// Where Linux tells how all processors have spent their time, also within a container.
const TIMES: &str = "/proc/stat";

/// A machine whose processors were idle for a smaller share of the time has nothing left to give.
const SPARE: f64 = 0.1;

/// That is taken over so many seconds at least.
const WINDOW: f64 = 1.0;

/// Whether the machine is busy, whoever it is busy with.
#[derive(Default)]
pub(super) struct Machine {
    last: Option<(f64, Times)>,
    is_busy: bool,
}

/// How long all processors together have done something, and nothing, in ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    all: u64,
    idle: u64,
}

impl Machine {
    /// Whether it was busy since this was last asked, if that is a second ago; where nobody tells, it is not.
    pub(super) fn is_busy(&mut self, now: f64) -> bool {
        if self.last.is_none_or(|(at, _)| now - at >= WINDOW) {
            let text = fs::read_to_string(TIMES).unwrap_or_default();
            self.look(now, Times::read(&text));
        }
        self.is_busy
    }

    fn look(&mut self, now: f64, times: Option<Times>) {
        let before = self.last.map(|(_, before)| before);
        let both = before.zip(times);
        self.is_busy = both.is_some_and(|(before, times)| times.spare_since(before) < SPARE);
        self.last = times.map(|times| (now, times));
    }
}

impl Times {
    /// The first line is about all processors: user, nice, system, idle, waiting for a disk, and so on. The time of
    /// guests, behind the eighth, is part of the first two.
    fn read(text: &str) -> Option<Self> {
        let words = text.lines().next()?.strip_prefix("cpu ")?;
        let times = words.split_whitespace().take(8).map(str::parse::<u64>);
        let times = times.collect::<Result<Vec<_>, _>>().ok()?;
        let idle = times.get(3)? + times.get(4)?;
        let all = times.iter().sum();
        Some(Self { all, idle })
    }

    /// The share of the time that was idle. All of it, while no time has passed.
    fn spare_since(self, before: Self) -> f64 {
        let all = self.all.saturating_sub(before.all);
        let idle = self.idle.saturating_sub(before.idle);
        match all {
            0 => 1.0,
            _ => idle as f64 / all as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(all: u64, idle: u64) -> Option<Times> {
        Some(Times { all, idle })
    }

    #[test]
    fn the_times_of_all_processors_are_read() {
        let text = "cpu  10 20 30 400 5 0 6 7 8 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(Times::read(text), times(478, 405));
        for strange in [
            "",
            "cpu",
            "cpu 1 2 3",
            "cpu a b c d e",
            "cpu0 1 2 3 4 5 6 7 8",
            "intr 1",
        ] {
            assert_eq!(Times::read(strange), None, "{strange:?}");
        }
    }

    #[test]
    fn a_machine_is_busy_when_hardly_any_of_the_last_second_was_idle() {
        for (looks, expected) in [
            (vec![times(1_000, 0)], false),
            (vec![times(1_000, 900), times(1_200, 919)], true),
            (vec![times(1_000, 900), times(1_200, 920)], false),
            (vec![times(1_000, 900), times(1_000, 900)], false),
            // Who cannot tell is not busy, and has to be asked twice again.
            (vec![times(1_000, 900), None], false),
            (vec![None, times(1_000, 900)], false),
        ] {
            let mut machine = Machine::default();
            for (second, times) in (0_u32..).zip(&looks) {
                machine.look(f64::from(second), *times);
            }
            assert_eq!(machine.is_busy, expected, "{looks:?}");
        }
    }

    #[test]
    fn within_a_second_nobody_looks_again() {
        let mut machine = Machine::default();
        machine.look(10.0, times(1_000, 900));
        machine.look(11.0, times(2_000, 900));
        assert!(machine.is_busy(11.5));
        assert_eq!(
            machine.last,
            Some((
                11.0,
                Times {
                    all: 2_000,
                    idle: 900
                }
            ))
        );
    }
}
