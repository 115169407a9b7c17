use std::collections::BTreeMap;

use super::rabbitmq::{Connection, Kind, Queue};
use super::series::{Point, Series};
use crate::domain::{Age, Flow, Rate, Saved};

/// For each service the addresses of its instances, with the moment from which each is known.
pub type Instances = BTreeMap<String, BTreeMap<String, f64>>;

/// How long after it was taken a number counts as one of now, in seconds.
const FRESH: f64 = 4.0;

/// All queues of the virtual host, and who is connected to it.
#[derive(Default)]
pub struct Queues {
    states: BTreeMap<String, QueueState>,
    instances: Option<Instances>,
    saved: BTreeMap<String, Saved>,
}

/// One queue.
pub struct QueueState {
    /// What the broker said.
    pub last: Queue,
    /// When it said so.
    pub at: f64,
    /// Its messages, numbered.
    pub flow: Flow,
    /// Messages per second that come.
    pub arriving: Rate,
    /// Messages per second that go.
    pub leaving: Rate,
    /// Its last hour.
    pub series: Series,
    /// How many had left when that last changed, and since when it did not.
    standing: (u64, f64),
}

impl Queues {
    /// What another process has known of queues that were not looked at yet.
    pub(super) fn resume(&mut self, saved: BTreeMap<String, Saved>) {
        self.saved = saved;
    }

    /// Takes in what the broker says. Queues that are gone are forgotten.
    pub(super) fn observe(&mut self, now: f64, queues: Vec<Queue>) {
        let mut before = std::mem::take(&mut self.states);
        for queue in queues {
            let name = queue.name.clone();
            let mut state = match before.remove(&name) {
                Some(state) => state,
                None => QueueState::new(now, &queue, self.saved.remove(&name)),
            };
            let instances = self.instances_of(queue.service());
            state.observe(now, queue, instances);
            self.states.insert(name, state);
        }
    }

    /// Takes in who is connected.
    pub(super) fn connected(&mut self, now: f64, connections: &[Connection]) {
        let before = self.instances.take().unwrap_or_default();
        let mut instances = Instances::new();
        for connection in connections {
            let host = &connection.peer_host;
            let known = before
                .get(&connection.user)
                .and_then(|hosts| hosts.get(host));
            let since = known.copied().unwrap_or(now);
            let hosts = instances.entry(connection.user.clone()).or_default();
            hosts.insert(host.clone(), since);
        }
        self.instances = Some(instances);
    }

    /// Every queue, by name.
    pub fn states(&self) -> impl Iterator<Item = (&str, &QueueState)> {
        self.states
            .iter()
            .map(|(name, state)| (name.as_str(), state))
    }

    /// One of them.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&QueueState> {
        self.states.get(name)
    }

    /// The instances of a service, unknown before the broker has answered.
    #[must_use]
    pub fn instances(&self, service: &str) -> Option<BTreeMap<String, f64>> {
        let all = self.instances.as_ref()?;
        Some(all.get(service).cloned().unwrap_or_default())
    }

    fn instances_of(&self, service: &str) -> Option<u64> {
        self.instances(service).map(|hosts| hosts.len() as u64)
    }
}

impl QueueState {
    fn new(now: f64, queue: &Queue, saved: Option<Saved>) -> Self {
        let depth = queue.messages.unwrap_or_default();
        let flow = match saved {
            Some(saved) => Flow::resume(saved),
            None => Flow::new(now, depth, queue.acknowledged()),
        };
        Self {
            standing: (flow.departed(), now),
            flow,
            last: queue.clone(),
            at: now,
            arriving: Rate::default(),
            leaving: Rate::default(),
            series: Series::default(),
        }
    }

    fn observe(&mut self, now: f64, queue: Queue, instances: Option<u64>) {
        self.last = queue;
        let Some(depth) = self.last.messages else {
            return;
        };
        self.at = now;
        self.flow.observe(now, depth, self.last.acknowledged());
        let (arrived, departed) = (self.flow.arrived(), self.flow.departed());
        self.arriving.observe(now, arrived);
        self.leaving.observe(now, departed);
        if self.standing.0 != departed || depth == 0 {
            self.standing = (departed, now);
        }
        if !self.is_work() {
            return;
        }
        self.series.push(Point {
            at: now,
            arrived,
            departed,
            depth: Some(depth),
            age: self.flow.age(now).map(|age| age.seconds),
            arriving: self.arriving.per_second(),
            leaving: self.leaving.per_second(),
            instances,
        });
    }

    /// Whether somebody is there to take its messages: they do not just wait in it, or for good.
    #[must_use]
    pub fn is_work(&self) -> bool {
        self.last.kind() == Kind::Work
    }

    /// How long its oldest message has been waiting. Messages are taken to leave after the last look as fast as
    /// before it, for a few seconds. While the broker does not answer, the age goes on growing.
    #[must_use]
    pub fn age(&self, now: f64) -> Option<Age> {
        let since = (now - self.at).clamp(0.0, FRESH);
        let left = self.leaving.per_second().unwrap_or_default() * since;
        self.flow.age_after(now, left as u64)
    }

    /// For how long nothing has left it, in seconds.
    #[must_use]
    pub fn standing(&self, now: f64) -> f64 {
        now - self.standing.1
    }
}
