/// What was counted for one trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// What the trigger is called.
    pub name: String,
    /// So much for each instance.
    pub target: u64,
    /// What was counted, or why nobody knows.
    pub value: Result<u64, String>,
}

/// How many instances the trigger wants that wants most. None where that is unknown: what one trigger wants is enough to
/// grow, and not enough to shrink while another one is silent.
pub(super) fn demand(samples: &[Sample], current: u32) -> Option<u32> {
    let known = samples.iter().filter_map(|sample| {
        let value = sample.value.as_ref().ok()?;
        Some(wanted(*value, sample.target, current))
    });
    let most = known.max()?;
    let is_complete = samples.iter().all(|sample| sample.value.is_ok());
    (is_complete || most >= current).then_some(most)
}

/// `value / target`, rounded up; as many as now while that is at most 10 % away.
fn wanted(value: u64, target: u64, current: u32) -> u32 {
    let (value, target) = (u128::from(value), u128::from(target));
    let enough = target * u128::from(current);
    if (9 * enough..=11 * enough).contains(&(10 * value)) {
        return current;
    }
    let wanted = value.div_ceil(target.max(1));
    u32::try_from(wanted).unwrap_or(u32::MAX)
}
