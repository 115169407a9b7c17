//! The wiring of the service; what it does is told in the library of the same name.

use std::process::ExitCode;

use contracts::topology::{COMMANDS, ORDER_EVENTS, PAYMENT_DEADLINES, PRODUCTS, STOCK_EVENTS};
use messaging::Bus;
use order::config::Config;
use order::handlers::{CancelUnpaidOrders, ConfirmOrReject, KeepPriceList};
use order::http::{Api, routes};
use order::{intake::Intake, store, sweep::Sweep};
use runtime::{Lifecycle, health::Health, http};

fn main() -> ExitCode {
    runtime::run("order", start)
}

async fn start(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
    let pool = database::connect(&config.database, "order").await?;
    messaging::migrate(&pool).await?;
    database::migrate(&pool, sqlx::migrate!()).await?;
    let bus = Bus::new("order", config.messaging, pool.clone())?;
    bus.outlives_inbox("ORDERS_KEPT", config.orders_kept)?;

    let payment_deadline = config.payment_deadline;
    let confirm_or_reject = ConfirmOrReject { payment_deadline };
    let stock = bus.topic(STOCK_EVENTS).batch(500);
    life.spawn("stock events", |token| {
        stock.run("confirm-or-reject", confirm_or_reject, token)
    });
    let deadlines = bus.queue(PAYMENT_DEADLINES).delayed_by(payment_deadline);
    // Each may be about ten orders.
    let deadlines = deadlines.batch(20);
    life.spawn("payment deadlines", |token| {
        deadlines.run("cancel-unpaid-orders", CancelUnpaidOrders, token)
    });
    let products = bus.topic(PRODUCTS).reading_all().batch(500);
    life.spawn("products", |token| {
        products.run("list-products", KeepPriceList, token)
    });
    life.spawn("RabbitMQ relay", |token| {
        bus.rabbitmq_relay([COMMANDS], token)
    });
    life.spawn("Kafka relay", |token| {
        bus.kafka_relay([ORDER_EVENTS], token)
    });
    life.spawn("housekeeping", |token| bus.housekeeping(token));
    let (pending_after, unpaid_after) = (config.pending_sweep_after, config.unpaid_sweep_after);
    let sweep = Sweep::new(bus.clone(), pending_after, payment_deadline, unpaid_after);
    life.spawn("sweep", |token| sweep.run(token));
    let (orders_kept, keys_kept) = (config.orders_kept, config.idempotency_keys_kept);
    let orders = bus.removal("orders", orders_kept, store::remove_old_orders);
    life.spawn("removal of orders", |token| orders.run(token));
    let keys = bus.removal("idempotency keys", keys_kept, store::forget_old_keys);
    life.spawn("removal of idempotency keys", |token| keys.run(token));

    let health = Health::default();
    health.informational("RabbitMQ", bus.rabbitmq_check());
    health.informational("topology", bus.topology_check());
    health.informational("Kafka", bus.kafka_check());
    health.required("database", bus.database_check(&store::TABLES));
    health.informational("consumers", bus.consumers_check());
    health.required("price list", store::price_list_check(&pool));
    let (intake, writers) = Intake::new(&bus);
    for writer in writers {
        life.spawn("order intake", |_| writer);
    }
    let api = routes(Api::new(&pool, bus, intake, config.admin));
    let app = http::app("order", api, health, &config.http.allowed_hosts);
    life.spawn("http", |token| http::serve(config.http.addr, app, token));
    Ok(())
}
