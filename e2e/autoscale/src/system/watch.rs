use std::fmt::Write;
use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::System;
use super::meter::Meter;
use crate::{Decision, Rule, Sample, ScaledObject, Subject};

/// Looks after one service.
pub(super) struct Watch<'a> {
    system: &'a System,
    object: &'a ScaledObject,
    meters: Vec<Meter>,
    rule: Rule,
    /// What was said last: it is not said again.
    said: Option<Decision>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(system: &'a System, object: &'a ScaledObject) -> Result<Self> {
        let meters = object.triggers.iter().map(Meter::new);
        Ok(Self {
            system,
            object,
            meters: meters.collect::<Result<_>>()?,
            rule: Rule::new(object.limits, object.behavior.clone()),
            said: None,
        })
    }

    /// Until it is told to stop.
    pub(super) async fn keep(mut self, stop: &CancellationToken) {
        let (system, object) = (self.system, self.object);
        let service = &object.service;
        system.say(service, self.introduction());
        let mut looks = interval(object.polling);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut instances = None;
        loop {
            let looked = stop.run_until_cancelled(async {
                looks.tick().await;
                self.look().await
            });
            match looked.await {
                None => break,
                Some(Err(error)) => {
                    let why = format!("is out of sight, and nothing changes: {error:#}");
                    system.say(service, why);
                }
                Some(Ok((current, samples))) => {
                    instances = Some(self.act(current, &samples).await);
                }
            }
        }
        if let Some(instances) = instances {
            let what = format!("is left with {instances} instance(s)");
            system.say(service, what);
        }
    }

    /// How many instances there are, and what every trigger says.
    async fn look(&self) -> Result<(u32, Vec<Sample>)> {
        let instances = self.system.instances(&self.object.service).await?;
        let rabbitmq = &self.system.rabbitmq;
        let samples = self.meters.iter().map(|meter| meter.read(rabbitmq));
        Ok((instances, join_all(samples).await))
    }

    /// Decides, says so and does it. Returns how many instances there are then.
    async fn act(&mut self, current: u32, samples: &[Sample]) -> u32 {
        let (system, object) = (self.system, self.object);
        let service = &object.service;
        let decision = self.rule.decide(self.now(), current, samples);
        if self.said.is_none_or(|said| !is_same(said, decision)) {
            let what = format!("{decision} ({})", counted(samples));
            system.say(service, what);
            self.said = Some(decision);
        }
        if !decision.is_change() {
            return current;
        }
        // Whatever comes of it, the next decision is another one.
        self.said = None;
        match system.scale(service, decision.to).await {
            Ok(()) => {
                self.rule.done(self.now(), current, decision.to);
                decision.to
            }
            Err(error) => {
                let why = format!("could not be scaled, which is tried again: {error:#}");
                system.say(service, why);
                current
            }
        }
    }

    fn now(&self) -> Duration {
        self.system.started.elapsed()
    }

    fn introduction(&self) -> String {
        let ScaledObject {
            limits, behavior, ..
        } = self.object;
        let triggers = self.object.triggers.iter().map(|trigger| {
            let what = match &trigger.subject {
                Subject::Queue { name, .. } => name,
                Subject::Lag { group, .. } => group,
            };
            format!("{} of {what}", trigger.target)
        });
        let triggers: Vec<_> = triggers.collect();
        format!(
            "has {} to {} instances, one for each {}; looks every {:?}, shrinks after {:?} ({})",
            limits.least,
            limits.most,
            triggers.join(", or "),
            self.object.polling,
            behavior.down.window,
            self.object.file.display()
        )
    }
}

/// Whether it says the same of the same number of instances, be it for other figures.
fn is_same(one: Decision, other: Decision) -> bool {
    (one.from, one.to, one.reason) == (other.from, other.to, other.reason)
}

/// What was counted, trigger by trigger.
fn counted(samples: &[Sample]) -> String {
    let mut text = String::new();
    for Sample {
        name,
        target,
        value,
    } in samples
    {
        let gap = if text.is_empty() { "" } else { ", " };
        // Writing into a text cannot fail.
        let _ = match value {
            Ok(value) => write!(text, "{gap}{name} {value}, {target} each"),
            Err(why) => write!(text, "{gap}{name} unknown: {why}"),
        };
    }
    text
}
