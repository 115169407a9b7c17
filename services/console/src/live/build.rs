use jiff::Timestamp;
use uuid::Uuid;

use contracts::topology::STOCK_COMMANDS;
use runtime::telemetry::instance_id;

use super::control::ControlView;
use super::frame::{
    Broker, Changes, ForecastView, Frame, Group, Instance, Oldest, Orders, Partition, Peak, Queue,
    Service, Topic,
};
use super::sentences::Sentences;
use super::{Live, Seen};
use crate::domain::{Forecast, forecast};
use crate::statistics::{BrokerState, Clock, GroupState, Kind, Known, QueueState, TopicState};
use crate::store::Figures;

/// The services that are always shown, in the order in which an order passes them. Whoever else is connected
/// follows.
const SERVICES: [&str; 4] = ["order", "inventory", "notification", "console"];

/// The state as it is known now.
pub(super) fn frame(live: &Live, seen: &Seen, sentences: &mut Sentences) -> Frame {
    let controls = live.controls.known();
    let mut known = live.statistics.known();
    known.show();
    let clock = known.clock;
    let (orders, stock) = seen.news.unzip();
    Frame {
        at: Timestamp::now(),
        instance: instance_id(),
        demo: live.controls.is_demo(),
        readonly: live.readonly,
        changes: Changes {
            orders,
            stock,
            letters: seen.letters.as_ref().map(|letters| letters.changes),
        },
        letters: seen.letters.clone(),
        sentences: sentences.of(&known, &controls, &seen.attempts),
        brokers: [
            ("rabbitmq", broker(clock, &known.rabbitmq)),
            ("kafka", broker(clock, &known.kafka)),
        ]
        .into(),
        services: SERVICES.iter().map(|name| service(&known, name)).collect(),
        queues: known
            .queues
            .states()
            .map(|(name, state)| queue(clock, name, state))
            .collect(),
        topics: known
            .topics
            .states()
            .map(|(name, state)| topic(clock, name, state))
            .collect(),
        orders: seen
            .figures
            .as_ref()
            .map(|figures| orders_view(figures, is_read(&known)))
            .unwrap_or_default(),
        peak: peak(&known),
        controls: controls.iter().map(ControlView::from).collect(),
        undecodable: live.undecodable(),
    }
}

fn broker(clock: Clock, state: &BrokerState) -> Broker {
    Broker {
        up: state.up(),
        since: state.since().map(|since| clock.on_the_wall(since)),
        error: state.error().map(str::to_owned),
        at: state.at().map(|at| clock.on_the_wall(at)),
    }
}

fn service(known: &Known, name: &str) -> Service {
    let instances = known.queues.instances(name);
    let instances = instances.map(|hosts| {
        let hosts = hosts.into_iter();
        let instance = |(host, since)| Instance {
            host,
            since: known.clock.on_the_wall(since),
        };
        hosts.map(instance).collect()
    });
    Service {
        name: name.to_owned(),
        instances,
    }
}

fn queue(clock: Clock, name: &str, state: &QueueState) -> Queue {
    let last = &state.last;
    let kind = last.kind();
    let is_work = kind == Kind::Work;
    let age = state.age(clock.now()).filter(|_| is_work);
    Queue {
        name: name.to_owned(),
        service: last.service().to_owned(),
        kind: match kind {
            Kind::Work => "work",
            Kind::Delay => "delay",
            Kind::DeadLetters => "dead-letters",
            Kind::Other => "other",
        },
        delay_ms: last.arguments.ttl,
        depth: last.messages,
        ready: last.messages_ready,
        unacked: last.messages_unacknowledged,
        consumers: last.consumers,
        in_per_s: state.arriving.per_second().filter(|_| is_work),
        out_per_s: state.leaving.per_second().filter(|_| is_work),
        age_s: age.map(|age| age.seconds),
        age_at_least: age.is_some_and(|age| age.at_least),
        at: Some(clock.on_the_wall(state.at)),
    }
}

fn topic(clock: Clock, name: &str, state: &TopicState) -> Topic {
    let groups = state.groups.iter();
    Topic {
        name: name.to_owned(),
        in_per_s: state.arriving.per_second(),
        groups: groups
            .map(|(name, of)| group(clock, name, of, &state.ends))
            .collect(),
        at: Some(clock.on_the_wall(state.at)),
    }
}

fn group(clock: Clock, name: &str, state: &GroupState, ends: &[i64]) -> Group {
    let partitions: Vec<_> = (0..)
        .zip(state.partitions.iter().zip(ends))
        .map(|(partition, (of, end))| Partition {
            partition,
            committed: of.committed,
            end: *end,
            lag: of.lag,
            age_s: of.age(clock),
            head_order: of.head.as_ref().and_then(|head| head.key.clone()),
        })
        .collect();
    let ages = partitions.iter().filter_map(|partition| partition.age_s);
    Group {
        name: name.to_owned(),
        service: name.split('.').next().unwrap_or_default().to_owned(),
        members: state.members,
        lag: state.lag(),
        out_per_s: state.leaving.per_second(),
        age_s: ages.reduce(f64::max),
        partitions,
    }
}

/// Who is further behind, in seconds, has not read what the last seconds have brought.
const BEHIND: f64 = 5.0;

/// That a first record could not be read once says nothing.
fn is_read(known: &Known) -> bool {
    known.kafka.up() == Some(true) && known.behind().is_none_or(|behind| behind < BEHIND)
}

/// How fast orders come is known only while what happens to them is read.
fn orders_view(figures: &Figures, is_read: bool) -> Orders {
    Orders {
        placed_per_s: is_read.then_some(figures.placed_per_s),
        decided_per_s: is_read.then_some(figures.decided_per_s),
        p50_ms: figures.p50_ms,
        p99_ms: figures.p99_ms,
        pending: Some(figures.pending),
        oldest_pending: figures.oldest_pending.map(|id| Oldest {
            id,
            placed_at: time_of(id),
        }),
        statuses: Some(
            [
                ("pending", figures.pending),
                ("confirmed", figures.confirmed),
                ("rejected", figures.rejected),
                ("paid", figures.paid),
                ("cancelled", figures.cancelled),
            ]
            .into(),
        ),
    }
}

fn peak(known: &Known) -> Peak {
    let state = known.queues.state(STOCK_COMMANDS);
    let now = known.clock.now();
    let age = state.and_then(|state| state.age(now));
    let arriving = state.and_then(|state| state.arriving.per_second());
    let leaving = state.and_then(|state| state.leaving.per_second());
    let depth = state.and_then(|state| state.last.messages);
    let service = state.map(|state| state.last.service());
    let instances = service.and_then(|service| known.queues.instances(service));
    Peak {
        queue: STOCK_COMMANDS,
        arrived: state.map(|state| state.flow.arrived()),
        departed: state.map(|state| state.flow.departed()),
        in_per_s: arriving,
        out_per_s: leaving,
        depth,
        age_s: age.map(|age| age.seconds),
        age_at_least: age.is_some_and(|age| age.at_least),
        instances: instances.map(|hosts| hosts.len()),
        forecast: forecast_view(known.clock, forecast(depth, arriving, leaving)),
    }
}

fn forecast_view(clock: Clock, forecast: Forecast) -> ForecastView {
    let (kind, empty_at, per_s) = match forecast {
        Forecast::Empty => ("empty", None, None),
        Forecast::Drains {
            seconds,
            per_second,
        } => {
            let empty_at = clock.on_the_wall(clock.now() + seconds);
            ("drains", Some(empty_at), Some(per_second))
        }
        Forecast::Grows { per_second } => ("grows", None, Some(per_second)),
        Forecast::Steady => ("steady", None, None),
        Forecast::Unknown => ("unknown", None, None),
    };
    ForecastView {
        kind,
        empty_at,
        per_s,
    }
}

/// The time in an id of version 7.
fn time_of(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Timestamp::new(
        i64::try_from(seconds).ok()?,
        i32::try_from(nanoseconds).ok()?,
    )
    .ok()
}
