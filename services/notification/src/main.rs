//! The wiring of the service; what it does is told in the library of the same name.

use std::process::ExitCode;
use std::time::Duration;

use contracts::topology::{
    NOTIFICATION_EMAIL, NOTIFICATION_PUSH, NOTIFICATION_SMS, NOTIFICATIONS, ORDER_EVENTS,
};
use messaging::Bus;
use notification::config::Config;
use notification::handlers::{Deliver, NotifyCustomers, SendEmail};
use notification::http::routes;
use notification::provider::{Simulated, Smtp};
use notification::store;
use runtime::{Lifecycle, health::Health, http};

fn main() -> ExitCode {
    runtime::run("notification", start)
}

async fn start(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
    let smtp = Smtp::new(&config.email.smtp_url, config.email.from)?;
    let pool = database::connect(&config.database, "notification").await?;
    messaging::migrate(&pool).await?;
    database::migrate(&pool, sqlx::migrate!()).await?;
    let bus = Bus::new("notification", config.messaging, pool.clone())?;
    bus.outlives_inbox("NOTIFICATIONS_KEPT", config.notifications_kept)?;

    let events = bus.topic(ORDER_EVENTS).batch(config.events_batch);
    life.spawn("order events", |token| {
        events.run("notify-customers", NotifyCustomers, token)
    });
    life.spawn("RabbitMQ relay", |token| {
        bus.rabbitmq_relay([NOTIFICATIONS], token)
    });

    // Mailboxes that are full, and servers that greylist, are not ready again after half a minute.
    let email = bus
        .queue(NOTIFICATION_EMAIL)
        .bind(NOTIFICATIONS, "email.#")
        .concurrency(config.email.concurrency.into())
        .retry_longer(&[2, 5, 15, 60].map(|minutes| Duration::from_secs(60 * minutes)));
    life.spawn("e-mail", |token| {
        email.run_effects("send-email", SendEmail(smtp), token)
    });
    let sms = bus
        .queue(NOTIFICATION_SMS)
        .bind(NOTIFICATIONS, "sms.*.vip")
        .batch(100);
    life.spawn("text messages", |token| {
        sms.run("send-sms", Deliver(Simulated), token)
    });
    let push = bus
        .queue(NOTIFICATION_PUSH)
        .bind(NOTIFICATIONS, "push.#")
        .batch(100);
    life.spawn("push messages", |token| {
        push.run("send-push", Deliver(Simulated), token)
    });
    life.spawn("housekeeping", |token| bus.housekeeping(token));
    let kept = config.notifications_kept;
    let notifications = bus.removal("notifications", kept, store::remove_old);
    life.spawn("removal of notifications", |token| notifications.run(token));

    let health = Health::default();
    health.informational("RabbitMQ", bus.rabbitmq_check());
    health.informational("topology", bus.topology_check());
    health.informational("Kafka", bus.kafka_check());
    health.required("database", bus.database_check(&store::TABLES));
    health.informational("consumers", bus.consumers_check());
    let api = routes(&pool);
    let app = http::app("notification", api, health, &config.http.allowed_hosts);
    life.spawn("http", |token| http::serve(config.http.addr, app, token));
    Ok(())
}
