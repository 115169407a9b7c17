use super::Problem;

/// How many entries a page of a list has where nobody asks for another number.
const USUAL: i64 = 20;

/// How many entries a page of a list has: what the parameter `limit` says.
#[derive(Debug, Clone, Copy)]
pub struct PageSize(i64);

impl PageSize {
    /// As asked for; 20 where nothing is.
    ///
    /// # Errors
    ///
    /// 422 unless it is within 1 to 100.
    pub fn asked(limit: Option<i64>) -> Result<Self, Problem> {
        match limit.unwrap_or(USUAL) {
            limit @ 1..=100 => Ok(Self(limit)),
            _ => Err(Problem::unprocessable("limit", "expected 1 to 100")),
        }
    }

    /// How many entries to look for: one more than the page has, which tells whether there is a next page.
    #[must_use]
    pub fn and_one(self) -> i64 {
        self.0 + 1
    }

    /// Cuts what was found to the page, and answers its last entry if there is a next page.
    pub fn cut<T>(self, found: &mut Vec<T>) -> Option<&T> {
        let size = usize::try_from(self.0).unwrap_or(usize::MAX);
        let more = found.len() > size;
        found.truncate(size);
        found.last().filter(|_| more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_to_a_hundred_entries() {
        for (limit, expected) in [
            (None, Some(21)),
            (Some(1), Some(2)),
            (Some(100), Some(101)),
            (Some(0), None),
            (Some(101), None),
            (Some(-1), None),
        ] {
            let size = PageSize::asked(limit).ok().map(PageSize::and_one);
            assert_eq!(size, expected, "{limit:?}");
        }
    }

    #[test]
    fn there_is_a_next_page_when_there_is_an_entry_for_it() {
        let size = PageSize(2);
        for (found, last, left) in [
            (vec![], None, vec![]),
            (vec![1], None, vec![1]),
            (vec![1, 2], None, vec![1, 2]),
            (vec![1, 2, 3], Some(2), vec![1, 2]),
        ] {
            let mut page = found;
            assert_eq!(size.cut(&mut page).copied(), last);
            assert_eq!(page, left);
        }
    }
}
