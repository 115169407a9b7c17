//! The wiring of the service; what it does is told in the library of the same name.

use std::process::ExitCode;

use contracts::topology::{
    COMMANDS, PRODUCTS, STOCK_COMMANDS, STOCK_EVENTS, STOCK_LEVELS, STOCK_RELEASE, STOCK_RESERVE,
    STOCK_SELL,
};
use inventory::{
    announce::announce_products,
    config::Config,
    handlers,
    http::{Api, routes},
    store,
};
use messaging::Bus;
use runtime::{Lifecycle, health::Health, http};

fn main() -> ExitCode {
    runtime::run("inventory", start)
}

async fn start(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
    let pool = database::connect(&config.database, "inventory").await?;
    messaging::migrate(&pool).await?;
    database::migrate(&pool, sqlx::migrate!()).await?;
    let bus = Bus::new("inventory", config.messaging, pool.clone())?;
    bus.outlives_inbox("RESERVATIONS_KEPT", config.reservations_kept)?;
    announce_products(&bus).await?;

    let commands = bus
        .queue(STOCK_COMMANDS)
        .bind(COMMANDS, STOCK_RESERVE)
        .bind(COMMANDS, STOCK_RELEASE)
        .bind(COMMANDS, STOCK_SELL)
        .batch(200);
    life.spawn("stock commands", |token| {
        commands.run("reserve-stock", handlers::DecideAboutStock, token)
    });
    life.spawn("Kafka relay", |token| {
        bus.kafka_relay([STOCK_EVENTS, PRODUCTS, STOCK_LEVELS], token)
    });
    life.spawn("housekeeping", |token| bus.housekeeping(token));
    let (reservations_kept, keys_kept) = (config.reservations_kept, config.idempotency_keys_kept);
    let remove = store::remove_old_reservations;
    let reservations = bus.removal("reservations", reservations_kept, remove);
    life.spawn("removal of reservations", |token| reservations.run(token));
    let keys = bus.removal("idempotency keys", keys_kept, store::forget_old_keys);
    life.spawn("removal of idempotency keys", |token| keys.run(token));

    let health = Health::default();
    health.informational("RabbitMQ", bus.rabbitmq_check());
    health.informational("topology", bus.topology_check());
    health.informational("Kafka", bus.kafka_check());
    health.required("database", bus.database_check(&store::TABLES));
    health.informational("consumers", bus.consumers_check());
    let api = routes(Api::new(&pool, bus, config.admin));
    let app = http::app("inventory", api, health, &config.http.allowed_hosts);
    life.spawn("http", |token| http::serve(config.http.addr, app, token));
    Ok(())
}
