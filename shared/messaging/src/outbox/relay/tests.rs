use std::iter::repeat_n;
use std::sync::{Mutex, PoisonError};

use super::*;
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
    let handovers = Arc::new(Handovers::new(Duration::ZERO));
    let mut tx = pool.begin().await?;
    let mut written = Written::nothing(&handovers);
    store::insert(&mut tx, numbered(ROWS).collect(), &mut written).await?;
    tx.commit().await?;
    written.committed();
    let (broker, token) = (SlowBroker::default(), CancellationToken::new());
    let relay = Relay {
        pool: pool.clone(),
        transport: Transport::RabbitMq,
        publisher: broker.clone(),
        handover: Arc::clone(handovers.of(Transport::RabbitMq)),
        leases: Leases::new(pool.clone(), Duration::from_secs(2), Default::default()),
        metrics: Arc::default(),
        refused: Default::default(),
    };
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
