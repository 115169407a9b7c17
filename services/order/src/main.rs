//! The wiring of the service; what it does is told in the library of the same name.

use std::process::ExitCode;

use contracts::topology::{COMMANDS, ORDER_EVENTS, PAYMENT_DEADLINES, PRODUCTS, STOCK_EVENTS};
use messaging::Bus;
use order::config::Config;
use order::handlers::{CancelUnpaidOrders, ConfirmOrReject, ListProducts};
use order::http::{Api, routes};
use order::{intake::Intake, store};
use runtime::{Lifecycle, health::Health, http};

fn main() -> ExitCode {
    runtime::run("order", start)
}

async fn start(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
    let pool = database::connect(&config.database, "order").await?;
    messaging::migrate(&pool).await?;
    database::migrate(&pool, sqlx::migrate!()).await?;
    let bus = Bus::new("order", config.messaging, pool.clone())?;

    let payment_deadline = config.payment_deadline;
    let stock = bus.topic(STOCK_EVENTS).batch(500);
    life.spawn("stock events", |token| {
        stock.run(
            "confirm-or-reject",
            ConfirmOrReject { payment_deadline },
            token,
        )
    });
    let deadlines = bus
        .queue(PAYMENT_DEADLINES)
        .delayed_by(payment_deadline)
        .batch(200);
    life.spawn("payment deadlines", |token| {
        deadlines.run("cancel-unpaid-orders", CancelUnpaidOrders, token)
    });
    let products = bus.topic(PRODUCTS).state().batch(500);
    life.spawn("products", |token| {
        products.run("list-products", ListProducts, token)
    });
    life.spawn("outbox to RabbitMQ", |token| {
        bus.rabbitmq_relay([COMMANDS], token)
    });
    life.spawn("outbox to Kafka", |token| {
        bus.kafka_relay([ORDER_EVENTS], token)
    });
    life.spawn("housekeeping", |token| bus.housekeeping(token));

    let health = Health::default();
    health.reported("RabbitMQ", bus.rabbitmq_check());
    health.reported("Kafka", bus.kafka_check());
    health.required("database", bus.database_check(&store::TABLES));
    health.reported("consumers", bus.consumers_check());
    health.required("price list", {
        let pool = pool.clone();
        move || store::price_list_is_here(pool.clone())
    });
    let (intake, writers) = Intake::new(&bus);
    for writer in writers {
        life.spawn("order intake", |_| writer);
    }
    let app = http::app("order", routes(Api { pool, bus, intake }), health);
    life.spawn("http", |token| http::serve(config.http.addr, app, token));
    Ok(())
}
