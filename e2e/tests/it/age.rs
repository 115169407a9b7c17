//! The age of the oldest message of a quorum queue, which the broker does not tell, beside the truth.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use harness::{Stack, eventually, setting};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

/// The queue of a service that exists only here.
const QUEUE: &str = "e2e.age";
/// Messages a second, and how many of them are taken.
const ARRIVING: u32 = 40;
const LEAVING: u32 = 20;
/// What is aimed at is one second; numbers that a busy machine delivers late may be another one off.
const WRONG: f64 = 2.0;
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_age_of_the_oldest_message_is_known_under_load_without_consumers_and_over_a_restart()
-> Result<()> {
    let stack = Stack::alone().await?;
    let address = setting("AMQP_URL")?;
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let outcome = ages(&stack, &channel).await;
    let deleted = channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default());
    deleted.await?;
    outcome
}

async fn ages(stack: &Stack, channel: &Channel) -> Result<()> {
    let mut queue = Queue::declare(channel).await?;
    eventually("the console sees the queue", LIMIT, async || {
        Ok(seen(stack).await?.map(drop))
    })
    .await?;
    let mut wrong = Wrong::default();

    queue.under_load(stack, 15, true, &mut wrong).await?;
    println!("under load, more arriving than leaving: {wrong}");
    wrong.check()?;
    queue.under_load(stack, 8, false, &mut wrong).await?;
    println!("while nobody consumes: {wrong}");
    wrong.check()?;

    stack.compose.stop(&["console"]).await?;
    stack.compose.start(&["console"]).await?;
    eventually("the console sees the queue again", LIMIT, async || {
        Ok(seen(stack).await.unwrap_or_default().map(drop))
    })
    .await?;
    queue.under_load(stack, 8, true, &mut wrong).await?;
    println!("after a restart of the console: {wrong}");
    wrong.check()
}

/// A queue whose messages are known one by one.
struct Queue<'c> {
    channel: &'c Channel,
    consumer: Consumer,
    waiting: VecDeque<Instant>,
}

impl<'c> Queue<'c> {
    async fn declare(channel: &'c Channel) -> Result<Self> {
        let mut arguments = FieldTable::default();
        let quorum = AMQPValue::LongString("quorum".into());
        arguments.insert("x-queue-type".into(), quorum);
        let durable = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        channel
            .queue_declare(QUEUE.into(), durable, arguments)
            .await?;
        channel.basic_qos(1, BasicQosOptions::default()).await?;
        let consumer = channel.basic_consume(
            QUEUE.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        Ok(Self {
            channel,
            consumer: consumer.await?,
            waiting: VecDeque::new(),
        })
    }

    /// Publishes, and takes if that is wanted, for so many seconds, and compares twice a second.
    async fn under_load(
        &mut self,
        stack: &Stack,
        seconds: u32,
        takes: bool,
        wrong: &mut Wrong,
    ) -> Result<()> {
        let every = |per_second: u32| {
            let mut ticks = interval(Duration::from_secs(1) / per_second);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let (mut arrivals, mut departures, mut looks) = (every(ARRIVING), every(LEAVING), every(2));
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(seconds.into()) {
            tokio::select! {
                _ = arrivals.tick() => self.publish().await?,
                // Of an empty queue nothing comes until this loop publishes.
                _ = departures.tick(), if takes && !self.waiting.is_empty() => self.take().await?,
                _ = looks.tick() => {
                    // What the broker has counted of the first seconds is not there at once.
                    let settled = started.elapsed() > Duration::from_secs(4);
                    if let Some(age) = seen(stack).await?.filter(|_| settled) {
                        let truth = self.waiting.front().map_or(0.0, |since| since.elapsed().as_secs_f64());
                        wrong.note(age, truth);
                    }
                }
            }
        }
        Ok(())
    }

    async fn publish(&mut self) -> Result<()> {
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default().with_delivery_mode(2);
        let published =
            self.channel
                .basic_publish("".into(), QUEUE.into(), options, b"age", properties);
        published.await?.await?;
        self.waiting.push_back(Instant::now());
        Ok(())
    }

    async fn take(&mut self) -> Result<()> {
        let delivery = self.consumer.next().await.context("no delivery")??;
        delivery.acker.ack(BasicAckOptions::default()).await?;
        self.waiting.pop_front();
        Ok(())
    }
}

/// How wrong the ages were.
#[derive(Default)]
struct Wrong {
    seconds: Vec<f64>,
}

impl Wrong {
    fn note(&mut self, age: f64, truth: f64) {
        self.seconds.push(age - truth);
    }

    /// All but the worst tenth: a look can fall into a moment in which the machine stands still.
    fn check(&mut self) -> Result<()> {
        let mut sizes: Vec<_> = self.seconds.drain(..).map(f64::abs).collect();
        sizes.sort_by(f64::total_cmp);
        let most = sizes
            .get(sizes.len() * 9 / 10)
            .context("nothing was seen")?;
        ensure!(*most <= WRONG, "{sizes:.1?}");
        Ok(())
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.seconds.len() as f64;
        let mean = self.seconds.iter().sum::<f64>() / number;
        let most = self
            .seconds
            .iter()
            .fold(0.0_f64, |most, one| most.max(one.abs()));
        write!(
            f,
            "{number} looks, {mean:+.2} s wrong on average, {most:.2} s at most"
        )
    }
}

/// The age that the console shows; none while it does not know the queue.
async fn seen(stack: &Stack) -> Result<Option<f64>> {
    let answer = stack.gateway.get("/api/console/frame").await?;
    let queues = answer.body["queues"].as_array().into_iter().flatten();
    let mut queues = queues.filter(|queue| queue["name"] == QUEUE);
    Ok(queues.next().map(|queue| match &queue["age_s"] {
        Value::Number(age) => age.as_f64().unwrap_or_default(),
        _ => 0.0,
    }))
}
