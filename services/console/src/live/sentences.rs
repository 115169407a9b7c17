use std::collections::HashMap;

use jiff::Timestamp;

use super::frame::Sentence;
use super::watched::watched;
use crate::domain::{Asked, Place, Reason, Watched, reasons};
use crate::statistics::{BrokerState, Clock, Known};
use crate::store::{Attempt, Control};

/// What is stuck, and since when: a reason that goes on keeps the moment at which it began.
#[derive(Default)]
pub(super) struct Sentences {
    began: HashMap<(Reason, String, String), f64>,
}

impl Sentences {
    pub(super) fn of(
        &mut self,
        known: &Known,
        controls: &[Control],
        attempts: &[Attempt],
    ) -> Vec<Sentence> {
        let now = known.clock.now();
        let watched = watched(known, now);
        let asked = |service: &str| {
            let of = controls.iter().find(|control| control.service == service);
            of.map_or_else(Asked::default, |control| Asked {
                paused: control.pause,
                slowed: control.slow_ms > 0,
                failing: control.fail_percent > 0,
                refusing: control.refuse_email,
            })
        };
        let mut sentences = Vec::new();
        for (name, broker) in [("RabbitMQ", &known.rabbitmq), ("Kafka", &known.kafka)] {
            sentences.extend(broker_away(name, broker, known.clock));
        }
        let mut began = HashMap::new();
        for (reason, one) in together(reasons(&watched, asked)) {
            let key = (reason, one.service.clone(), one.name.clone());
            let since = now - one.standing.unwrap_or_default();
            let since = self.began.get(&key).copied().unwrap_or(since);
            began.insert(key, since);
            let since = known.clock.on_the_wall(since);
            let mut said = sentence(reason, &one, since);
            let mut of_service = controls
                .iter()
                .filter(|control| control.service == one.service);
            match reason {
                Reason::Paused | Reason::Failing | Reason::Slowed => said.ask(of_service.next()),
                Reason::Retry => said.tell(attempts.iter().find(|attempt| is_of(attempt, &one))),
                Reason::ArrivalFaster => said.advise(known),
                _ => {}
            }
            sentences.push(said);
        }
        self.began = began;
        let pauses = pauses(controls, &sentences);
        sentences.extend(pauses);
        sentences
    }
}

impl Sentence {
    /// Who has asked for it, and until when.
    fn ask(&mut self, control: Option<&Control>) {
        let Some(control) = control else { return };
        self.since = Some(control.set_at);
        self.until = Some(control.until);
        self.by = Some(control.set_by.clone());
    }

    /// Why the last attempt has failed, and when the next one is. Without an attempt that has failed, the consumer
    /// just does not get any further.
    fn tell(&mut self, attempt: Option<&Attempt>) {
        let Some(attempt) = attempt else {
            self.reason = "held";
            return;
        };
        self.until = Some(attempt.until);
        self.attempt = Some(attempt.failed);
        self.attempts = Some(attempt.limit);
        self.error = attempt.error.clone();
    }

    /// One instance more.
    fn advise(&mut self, known: &Known) {
        let Some(service) = &self.service else { return };
        let instances = known.queues.instances(service).unwrap_or_default().len() + 1;
        let scale = format!("docker compose up -d --scale {service}={instances} {service}");
        self.command = Some(scale);
    }
}

/// Who is paused is not just quiet, although nothing waits.
fn pauses(controls: &[Control], said: &[Sentence]) -> Vec<Sentence> {
    let is_said = |service: &str| {
        let mut paused = said.iter().filter(|one| one.reason == "paused");
        paused.any(|one| one.service.as_deref() == Some(service))
    };
    let unsaid = controls
        .iter()
        .filter(|control| control.pause && !is_said(&control.service));
    let pause = |control: &Control| {
        let mut pause = empty("paused", "warning", &control.service);
        pause.service = Some(control.service.clone());
        pause.depth = Some(0);
        pause.ask(Some(control));
        pause
    };
    unsaid.map(pause).collect()
}

fn is_of(attempt: &Attempt, one: &Watched) -> bool {
    let service = attempt.group.split('.').next();
    let is_there =
        |place: &Place| place.partition == attempt.partition && place.offset == attempt.offset;
    service == Some(&one.service)
        && one.name.split('/').next() == Some(&attempt.topic)
        && one.partition.as_ref().is_some_and(is_there)
}

/// What is asked of a service is said once, whatever waits because of it, and so is what all partitions of a topic
/// have in common.
fn together(found: Vec<(Reason, &Watched)>) -> Vec<(Reason, Watched)> {
    let mut together: Vec<(Reason, Watched)> = Vec::new();
    for (reason, one) in found {
        let topic = one.name.split('/').next().unwrap_or_default();
        let name = match reason {
            Reason::Paused | Reason::Failing | Reason::Slowed => &one.service,
            Reason::Retry => &one.name,
            _ => topic,
        };
        let is_same = |(of, known): &&mut (Reason, Watched)| {
            *of == reason && known.name == name && known.service == one.service
        };
        if let Some((_, known)) = together.iter_mut().find(is_same) {
            known.waiting =
                Some(known.waiting.unwrap_or_default() + one.waiting.unwrap_or_default());
            known.age = known.age.into_iter().chain(one.age).reduce(f64::max);
            known.at_least |= one.at_least;
            known.standing = known
                .standing
                .into_iter()
                .chain(one.standing)
                .reduce(f64::max);
        } else {
            let mut first = one.clone();
            if first.name != name {
                first.name = name.to_owned();
                first.partition = None;
            }
            together.push((reason, first));
        }
    }
    together
}

fn broker_away(name: &str, broker: &BrokerState, clock: Clock) -> Option<Sentence> {
    if broker.up() != Some(false) {
        return None;
    }
    let since = broker.since().map(|since| clock.on_the_wall(since));
    Some(Sentence {
        since,
        error: broker.error().map(str::to_owned),
        command: Some(format!("docker compose up -d {}", name.to_lowercase())),
        ..empty("broker-away", "error", name)
    })
}

fn sentence(reason: Reason, one: &Watched, since: Timestamp) -> Sentence {
    let (name, level) = match reason {
        Reason::BrokerAway => ("broker-away", "error"),
        Reason::NobodyConsumes => ("nobody-consumes", "error"),
        Reason::Held => ("held", "error"),
        Reason::Retry => ("retry", "warning"),
        Reason::Paused => ("paused", "warning"),
        Reason::Failing => ("failing", "warning"),
        Reason::Slowed => ("slowed", "warning"),
        Reason::ArrivalFaster => ("arrival-faster", "info"),
    };
    let service = &one.service;
    let command = match reason {
        Reason::NobodyConsumes => Some(format!("docker compose up -d {service}")),
        Reason::Held => Some(format!("docker compose logs --tail 20 {service}")),
        _ => None,
    };
    let place = one.partition.as_ref();
    Sentence {
        since: Some(since),
        service: Some(service.clone()),
        depth: one.waiting,
        age_s: one.age,
        age_at_least: one.at_least,
        partition: place.map(|place| place.partition),
        offset: place.map(|place| place.offset),
        order_id: place.and_then(|place| place.key.clone()),
        in_per_s: one.arriving,
        out_per_s: one.leaving,
        command,
        ..empty(name, level, &one.name)
    }
}

fn empty(reason: &'static str, level: &'static str, subject: &str) -> Sentence {
    Sentence {
        reason,
        level,
        subject: subject.to_owned(),
        since: None,
        until: None,
        service: None,
        depth: None,
        age_s: None,
        age_at_least: false,
        partition: None,
        offset: None,
        order_id: None,
        attempt: None,
        attempts: None,
        error: None,
        by: None,
        in_per_s: None,
        out_per_s: None,
        command: None,
    }
}
