/// So many looks in a row are passed over.
const LOOKS: u32 = 4;

/// Which looks at a broker are passed over because nobody watches: each of them costs it as much as some orders.
#[derive(Debug, Default)]
pub(super) struct Rest {
    left: u32,
}

impl Rest {
    /// Whether this look is passed over.
    pub(super) fn goes_on(&mut self, is_watched: bool) -> bool {
        let goes_on = self.left > 0 && !is_watched;
        self.left = match goes_on {
            true => self.left - 1,
            false => 0,
        };
        goes_on
    }

    /// There was an answer, which is enough for a while.
    pub(super) fn begin(&mut self) {
        self.left = LOOKS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_nobody_watches_every_fifth_look_takes_place() {
        let mut rest = Rest::default();
        let mut taken = Vec::new();
        for look in 1..=11 {
            if !rest.goes_on(false) {
                taken.push(look);
                rest.begin();
            }
        }
        assert_eq!(taken, [1, 6, 11]);
    }

    #[test]
    fn a_look_takes_place_at_once_when_somebody_comes_or_there_was_no_answer() {
        let mut rest = Rest::default();
        assert!(!rest.goes_on(false));
        assert!(!rest.goes_on(false));
        rest.begin();
        assert!(rest.goes_on(false));
        assert!(!rest.goes_on(true));
        assert!(!rest.goes_on(false));
    }
}
