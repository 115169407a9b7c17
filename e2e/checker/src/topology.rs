//! What somebody deleted is declared again.

use super::{Class, Observed, Promise, Verdict};

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    for missing in observed.declared_before.difference(&observed.declared) {
        let what = format!("{missing} is missing");
        verdict.add(Promise::TopologyComesBack, Class::Lost, what);
    }
}
