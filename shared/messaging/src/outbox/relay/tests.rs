use std::iter::repeat_n;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::*;
use crate::outbox::store::{self, Running};
use crate::outbox::{Address, Handovers, NewRow, Written};

const ROWS: usize = 300;

/// A broker that confirms no more than this many at once in time, until it has confirmed so many in
/// all. A real one cannot be told to.
const AT_ONCE: usize = 100;
const SLOW_FOR: usize = 124;

#[derive(Clone, Default)]
struct SlowBroker {
    windows: Arc<Mutex<Vec<usize>>>,
    confirmed: usize,
}

impl Publish for SlowBroker {
    async fn prepare(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn publish(&mut self, rows: &[Row]) -> Vec<Result<(), PublishError>> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.push(rows.len());
        if rows.len() > AT_ONCE && self.confirmed < SLOW_FOR {
            let late = PublishError::Unavailable("no confirm in time".into());
            return repeat_n(Err(late), rows.len()).collect();
        }
        self.confirmed += rows.len();
        repeat_n(Ok(()), rows.len()).collect()
    }
}

#[sqlx::test(migrations = false)]
async fn a_broker_that_is_slow_gets_less_at_once_and_more_again_later(
    pool: PgPool,
) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    let handovers = Arc::new(Handovers::new());
    let mut tx = pool.begin().await?;
    let mut written = Written::nothing(&handovers);
    store::insert(&mut tx, numbered(ROWS).collect(), &mut written).await?;
    tx.commit().await?;
    written.committed();
    let (broker, token) = (SlowBroker::default(), CancellationToken::new());
    let relay = relay(&pool, &handovers, &broker);
    let relaying = tokio::spawn(relay.run(token.clone()));

    let all_is_published = async {
        let left = "select count(*) from messaging.outbox";
        while sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await? > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(90), all_is_published).await??;
    token.cancel();
    relaying.await??;
    let windows = broker.windows.lock();
    let windows = windows.unwrap_or_else(PoisonError::into_inner);
    // All there is; then halves of 500; twice as much after each success, but for the last rows.
    assert_eq!(*windows, [ROWS, 250, 125, 62, 124, 62, 124, 52]);
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn what_is_doubtful_is_looked_for_where_nothing_else_has_room(
    pool: PgPool,
) -> anyhow::Result<()> {
    const ALL: &[i16] = &[0, 1, 2, 3, 4, 5, 6, 7];
    crate::migrate::migrate(&pool).await?;
    let handovers = Arc::new(Handovers::new());
    let relay = relay(&pool, &handovers, &SlowBroker::default());
    let (handover, instance) = (&relay.handover, Uuid::now_v7());
    let own = "update messaging.leases set owner = $1";
    sqlx::query(own).bind(instance).execute(&pool).await?;
    handover.is_held_by(instance);
    handover.hold(ALL, Instant::now() + Duration::from_secs(3600));
    let term = handover.has_strangers().unwrap_or_default();
    let (oldest, next) = (1, 1);
    handover.run(term, &Running { oldest, next });
    relay.look(ALL, WINDOW).await?;

    let mut tx = pool.begin().await?;
    let mut written = Written::nothing(&handovers);
    store::insert(&mut tx, numbered(2).collect(), &mut written).await?;
    written.committing();
    tx.commit().await?;
    // As if the answer to the commit had been lost.
    drop(written);
    assert!(handover.take(ALL, WINDOW).is_empty());

    relay.look(ALL, 0).await?;
    assert_eq!(handover.take(ALL, WINDOW).len(), 2);
    Ok(())
}

fn relay(pool: &PgPool, handovers: &Handovers, broker: &SlowBroker) -> Relay<SlowBroker> {
    Relay {
        pool: pool.clone(),
        transport: Transport::RabbitMq,
        publisher: broker.clone(),
        handover: Arc::clone(handovers.of(Transport::RabbitMq)),
        leases: Leases::new(pool.clone(), Duration::from_secs(2), Default::default()),
        metrics: Arc::default(),
        refused: Default::default(),
    }
}

fn numbered(rows: usize) -> impl Iterator<Item = NewRow> {
    (0..rows).map(|number| NewRow {
        address: Address {
            transport: Transport::RabbitMq,
            destination: "tests".into(),
            key: "test".into(),
        },
        ordering_key: number.to_string(),
        message_type: "test.row.v1",
        traceparent: None,
        body: Vec::new(),
    })
}
