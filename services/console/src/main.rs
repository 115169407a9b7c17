//! The wiring of the service; what it does is told in the library of the same name.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use console::config::Config;
use console::controls::Controls;
use console::handlers::{
    RECORD_DECISIONS, RECORD_LEVELS, RECORD_ORDERS, RECORD_PRODUCTS, RecordDecisions, RecordLevels,
    RecordOrders, RecordProducts,
};
use console::http::{Api, routes};
use console::live::Live;
use console::office::{Office, Replaying};
use console::rebuild::{ABOUT, TOPICS, rebuild};
use console::statistics::{RabbitMqApi, Statistics, watch_kafka, watch_rabbitmq};
use console::store;
use console::telemetry::receive_spans;
use contracts::topology::{ORDER_EVENTS, PRODUCTS, STOCK_EVENTS, STOCK_LEVELS, Topic};
use messaging::{Bus, TopicConsumer};
use runtime::{Lifecycle, health::Health, http};
use secrecy::ExposeSecret;
use tracing::warn;

/// How long the broker collects records before it hands them out. What happens is shown a second later at the most to
/// whoever watches, in a flood a little later, and the fewer batches there are, the less they take from those who sell.
const GATHERING: Duration = Duration::from_millis(250);

fn main() -> ExitCode {
    runtime::run_or("console", "rebuild", ABOUT, rebuild, start)
}

async fn start(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
    let args = config.console;
    let api = RabbitMqApi::new(args.rabbitmq_api_url.expose_secret(), &args.rabbitmq_vhost)?;
    let demo = config.messaging.demo.demo;
    let pool = database::connect_planning(&config.database, "console").await?;
    messaging::migrate(&pool).await?;
    database::migrate(&pool, sqlx::migrate!()).await?;
    let bus = Bus::new("console", config.messaging, pool.clone())?;

    let (statistics, controls) = (Statistics::default(), Controls::new(demo));
    let live = Live::new(
        pool.clone(),
        statistics.clone(),
        controls.clone(),
        args.readonly,
    );
    let reads = |topic: Topic| {
        let others = statistics.clone();
        observe(&bus, topic, &live)
            .batch(1_000)
            .gathering(GATHERING)
            .giving_way(move || others.others_first())
    };
    let orders = reads(ORDER_EVENTS).repeatable();
    life.spawn("order events", |token| {
        orders.run(RECORD_ORDERS, RecordOrders, token)
    });
    let decisions = reads(STOCK_EVENTS).repeatable();
    life.spawn("stock events", |token| {
        decisions.run(RECORD_DECISIONS, RecordDecisions, token)
    });
    let levels = reads(STOCK_LEVELS).repeatable();
    life.spawn("stock levels", |token| {
        levels.run(RECORD_LEVELS, RecordLevels, token)
    });
    let products = reads(PRODUCTS);
    life.spawn("products", |token| {
        products.run(RECORD_PRODUCTS, RecordProducts, token)
    });
    let (letters, office) = (bus.dead_letters(), Office { pool: pool.clone() });
    life.spawn("dead letters", |token| letters.run(office, token));
    let (replaying, replayer) = (Replaying::default(), bus.replayer());
    let (running, of_replays) = (replaying.clone(), pool.clone());
    life.spawn("replays", |token| running.run(of_replays, replayer, token));
    life.spawn("housekeeping", |token| bus.housekeeping(token));

    let (of_queues, of_topics) = (statistics.clone(), statistics);
    let progress = bus.progress_watch(TOPICS);
    life.spawn("queues", |token| {
        watch_rabbitmq(api, of_queues, pool.clone(), token)
    });
    life.spawn("topics", |token| watch_kafka(progress, of_topics, token));
    life.spawn("spans", |token| {
        receive_spans(args.otlp_addr, pool.clone(), token)
    });
    let publisher = bus.controls_publisher();
    life.spawn("controls", |token| {
        controls.run(pool.clone(), publisher, token)
    });
    let frames = live.clone();
    life.spawn("frames", |token| frames.run(token));

    let health = Health::default();
    health.informational("RabbitMQ", bus.rabbitmq_check());
    health.informational("topology", bus.topology_check());
    health.informational("Kafka", bus.kafka_check());
    health.required("database", bus.database_check(&store::TABLES));
    health.informational("consumers", bus.consumers_check());
    let api = routes(Api {
        live,
        replaying,
        token: life.token(),
        admin: config.admin,
    });
    let app = http::app("console", api, health, &config.http.allowed_hosts);
    life.spawn("http", |token| http::serve(config.http.addr, app, token));
    Ok(())
}

/// Looks at a topic. What cannot be decoded there is somebody else's dead letter, and is counted here.
fn observe(bus: &Bus, topic: Topic, live: &Live) -> TopicConsumer {
    let undecodable = Arc::clone(&live.undecodable);
    let consumer = bus.topic(topic).reading_all();
    consumer.observing(move |position, reason| {
        undecodable.fetch_add(1, Ordering::Relaxed);
        let (topic, partition, offset) = (topic.name, position.partition, position.offset);
        warn!(
            reason,
            "{topic}/{partition}/{offset} cannot be decoded, and is not shown"
        );
    })
}
