use std::collections::HashSet;

use tokio_util::sync::CancellationToken;

use super::run::Run;
use super::runner::{Outcome, Pending, Stopped};
use crate::controls::Controls;
use crate::handler::Failure;

/// Runs a batch as a demonstration asks for it: slowly, and without the messages that have to fail. Those
/// never reach the handler, so that their failures say nothing about an outage, whatever their share.
///
/// A pause that comes before the handler gives the batch back, as a stop does.
pub(crate) async fn run_as_asked<R: Run>(
    runner: &R,
    controls: &Controls,
    batch: Vec<Pending<R::Message>>,
    token: &CancellationToken,
) -> Result<Vec<Outcome>, Stopped> {
    let slow_down = controls.slow_down(batch.len());
    token.run_until_cancelled(slow_down).await.ok_or(Stopped)?;
    if controls.is_paused() {
        return Err(Stopped);
    }
    let asked = outcomes_asked_for(controls, &batch);
    let others = batch.into_iter().zip(&asked);
    let others = others.filter_map(|(pending, asked)| asked.is_none().then_some(pending));
    let others: Vec<_> = others.collect();
    let mut handled = runner.run(&others, token).await?.into_iter();
    let outcomes = asked.into_iter();
    let outcomes = outcomes.map(|asked| asked.or_else(|| handled.next()));
    // There is an outcome for each of the others; a message without one would stay where it is.
    Ok(outcomes
        .map(|outcome| outcome.unwrap_or(Outcome::Behind))
        .collect())
}

/// For each message what has to become of it, nothing if that is up to its handler. Behind a message that
/// is tried again its partition waits, as ever.
fn outcomes_asked_for<M>(controls: &Controls, batch: &[Pending<M>]) -> Vec<Option<Outcome>> {
    let mut blocked = HashSet::new();
    let decide = |pending: &Pending<M>| {
        let partition = pending.partition;
        if partition.is_some_and(|partition| blocked.contains(&partition)) {
            return Some(Outcome::Behind);
        }
        let failure = controls.failure_of(pending.received.id, pending.failed_before)?;
        if matches!(failure, Failure::Retry(_)) {
            blocked.extend(partition);
        }
        Some(Outcome::Failed(failure))
    };
    batch.iter().map(decide).collect()
}
