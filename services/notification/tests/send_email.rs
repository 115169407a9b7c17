//! An e-mail leaves once, whatever the database or the mail server does: the real handler and database,
//! and a mail server that can be made to fail.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use contracts::{Channel, OrderEventName, SendNotification};
use messaging::testing::{handle_effect, received};
use notification::email::message_id;
use notification::handlers::SendEmail;
use notification::provider::{Smtp, SmtpLimits};
use notification::store::{self, NewNotification};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;
use support::smtp_server::{Answer, Manners, SmtpServer};

const PATIENCE: Duration = Duration::from_secs(60);

#[sqlx::test]
async fn an_e_mail_leaves_once_while_the_table_is_locked(pool: PgPool) -> Result<()> {
    let scene = Scene::new(&pool, Manners::default()).await?;
    let mut lock = pool.begin().await?;
    let share = "lock table notifications in share mode";
    sqlx::query(share).execute(&mut *lock).await?;
    let sending = scene.send();
    // Longer than several attempts to record it.
    scene.until_beats(5).await?;
    lock.rollback().await?;
    sending.await??;
    assert_eq!(scene.server.received(), [scene.message_id()]);
    assert_eq!(scene.status().await?, "sent");
    scene.end().await
}

#[sqlx::test]
async fn an_e_mail_leaves_once_when_the_mail_server_takes_three_seconds(
    pool: PgPool,
) -> Result<()> {
    let late = Answer::Late(Duration::from_secs(3), "250 taken");
    let manners = Manners {
        message: late,
        ..Manners::default()
    };
    let scene = Scene::new(&pool, manners).await?;
    scene.send().await??;
    assert_eq!(scene.server.received(), [scene.message_id()]);
    assert_eq!(scene.status().await?, "sent");
    scene.end().await
}

#[sqlx::test]
async fn an_e_mail_waits_for_a_mail_server_that_says_421(pool: PgPool) -> Result<()> {
    let manners = Manners {
        mail: Answer::Line("421 service not available"),
        ..Manners::default()
    };
    let scene = Scene::new(&pool, manners).await?;
    let sending = scene.send();
    eventually("more attempts than a message has", async || {
        Ok((scene.server.mails() >= 6).then_some(()))
    })
    .await?;
    scene.server.behave(Manners::default());
    sending.await??;
    assert_eq!(scene.server.received(), [scene.message_id()]);
    scene.end().await
}

#[sqlx::test]
async fn an_e_mail_whose_end_is_not_answered_is_not_sent_again(pool: PgPool) -> Result<()> {
    let manners = Manners {
        message: Answer::HangUp,
        ..Manners::default()
    };
    let scene = Scene::new(&pool, manners).await?;
    for _ in 0..2 {
        let outcome = scene.send().await?;
        let reason = outcome.err().context("it was delivered")?.to_string();
        assert!(reason.contains("may have been delivered"), "{reason}");
        // However late the message comes once more.
        let later = "update messaging.claims set claimed_at = claimed_at - interval '1 hour'";
        sqlx::query(later).execute(&pool).await?;
    }
    assert_eq!(scene.server.received(), [scene.message_id()]);
    assert_eq!(scene.status().await?, "queued");
    scene.end().await
}

#[sqlx::test]
async fn a_task_without_a_notification_is_rejected_and_not_sent(pool: PgPool) -> Result<()> {
    let scene = Scene::new(&pool, Manners::default()).await?;
    sqlx::query("delete from notifications")
        .execute(&pool)
        .await?;
    let outcome = scene.send().await?;
    let reason = outcome.err().context("it was delivered")?.to_string();
    assert!(reason.contains("there is no notification"), "{reason}");
    assert_eq!(scene.server.mails(), 0);
    scene.end().await
}

#[sqlx::test]
async fn an_e_mail_whose_notification_was_removed_is_not_sent_again(pool: PgPool) -> Result<()> {
    let scene = Scene::new(&pool, Manners::default()).await?;
    scene.send().await??;
    let bus = messaging::testing::bus("notification", &pool).await?;
    let kept = Duration::from_secs(24 * 3600);
    let notifications = bus.removal("notifications", Some(kept), store::remove_old);
    let later = jiff::Timestamp::now() + 2 * kept;
    let token = CancellationToken::new();
    assert_eq!(notifications.remove(later, &token).await?, 1);
    // Its task comes again, after its id was forgotten.
    sqlx::query("delete from messaging.inbox")
        .execute(&pool)
        .await?;
    let outcome = scene.send().await?;
    let reason = outcome.err().context("it was delivered")?.to_string();
    assert!(reason.contains("there is no notification"), "{reason}");
    assert_eq!(scene.server.received(), [scene.message_id()]);
    scene.end().await
}

/// One e-mail that is to be sent, and what it needs.
struct Scene {
    server: SmtpServer,
    pool: PgPool,
    message: messaging::Received<SendNotification>,
}

impl Scene {
    async fn new(pool: &PgPool, manners: Manners) -> Result<Self> {
        messaging::migrate(pool).await?;
        // As impatient as the pool of the service, and more.
        let options = pool.connect_options().as_ref().clone();
        let options = options.options([("lock_timeout", "200ms")]);
        let task = support::task(Channel::Email, OrderEventName::OrderPaid);
        let new = NewNotification {
            id: task.notification_id,
            order_id: task.order.id,
            event: task.event,
            channel: task.channel,
            recipient: task.order.customer.email.clone(),
        };
        store::insert(&mut *pool.acquire().await?, &[new]).await?;
        Ok(Self {
            server: SmtpServer::start(manners).await?,
            pool: PgPool::connect_with(options).await?,
            message: received(task),
        })
    }

    /// Handles the task, each time as another instance.
    fn send(&self) -> JoinHandle<Result<()>> {
        let (pool, message) = (self.pool.clone(), self.message.clone());
        let addr = self.server.addr;
        tokio::spawn(async move {
            let url = format!("smtp://{addr}").parse()?;
            let smtp = Smtp::with_limits(&url, support::sender()?, SmtpLimits::default())?;
            let bus = messaging::testing::bus("notification", &pool).await?;
            handle_effect(&bus, SendEmail(smtp), message).await
        })
    }

    fn message_id(&self) -> String {
        message_id(self.message.body.notification_id)
    }

    async fn status(&self) -> Result<String> {
        let order = self.message.body.order.id;
        let mut all = store::of_order(&mut *self.pool.acquire().await?, order).await?;
        Ok(all.pop().context("no notification")?.status)
    }

    async fn until_beats(&self, count: i64) -> Result<()> {
        eventually("signs of life", async || {
            let beats = "select coalesce(max(beat), 0) from messaging.instances";
            let beats: i64 = sqlx::query_scalar(beats).fetch_one(&self.pool).await?;
            Ok((beats >= count).then_some(()))
        })
        .await
    }

    async fn end(self) -> Result<()> {
        self.pool.close().await;
        Ok(())
    }
}

async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<()>>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while ask().await?.is_none() {
        ensure!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
