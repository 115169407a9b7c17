//! Which letters go when.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use console::store;
use messaging::{Letter, LetterOrigin};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Service;
use crate::support::letters::{kept, letter};
use crate::support::replays::{id_of, publish, replay, some, span, states};

#[sqlx::test]
async fn letters_of_one_order_go_in_the_order_of_its_versions_each_after_the_other(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let order = Uuid::now_v7();
    let mut by_version = BTreeMap::new();
    for version in [3, 1, 2] {
        let one = Letter {
            body: format!(r#"{{"order":{{"id":"{order}","version":{version}}}}}"#).into_bytes(),
            ..letter(order)
        };
        by_version.insert(version, kept(&service, &one).await?);
    }
    let ids: Vec<_> = by_version.values().collect();
    let job = id_of(&replay(&service, json!({"letters": ids})).await?)?;
    for id in by_version.values() {
        let due = publish(&service, job, 100).await?;
        let due: Vec<_> = due.iter().map(|due| due.letter_id).collect();
        assert_eq!(due, [*id]);
        // The next one has to wait.
        assert!(publish(&service, job, 100).await?.is_empty());
        store::save_spans(&service.pool, &[span(*id, None)]).await?;
        store::settle_replays(&service.pool).await?;
    }
    assert_eq!(states(&service).await?, [("handled".to_owned(), 3)].into());
    Ok(())
}

#[sqlx::test]
async fn a_job_goes_at_its_rate_and_belongs_to_one_instance_at_a_time(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let ids = some(&service, 5).await?;
    let job = id_of(&replay(&service, json!({"letters": ids, "rate": 1})).await?)?;
    let pool = &service.pool;
    for (instance, has_it) in [("one", true), ("other", false), ("one", true)] {
        assert_eq!(
            store::lease_job(pool, job, instance).await?,
            has_it,
            "{instance}"
        );
    }
    let over = "update jobs set leased_until = clock_timestamp()";
    sqlx::query(over).execute(pool).await?;
    assert!(store::lease_job(pool, job, "other").await?);
    publish(&service, job, 5).await?;
    let progress = store::progress(pool, job).await?.context("it runs")?;
    // Five letters at one a second: the sixth has to wait.
    assert_eq!(
        (progress.may_go, progress.sent, progress.waiting),
        (0, 5, 0)
    );
    // And however long a job has waited, no more go at once than in a second.
    let long_ago = "update jobs set due_at = clock_timestamp() - interval '1 hour'";
    sqlx::query(long_ago).execute(pool).await?;
    let progress = store::progress(pool, job).await?.context("it runs")?;
    assert_eq!(progress.may_go, 2);
    Ok(())
}

#[sqlx::test]
async fn a_portion_goes_to_one_queue_and_fits_into_memory(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let elsewhere = Letter {
        origin: Some(LetterOrigin::Broker {
            queue: "order.payment-deadlines".to_owned(),
            reason: "delivery_limit".to_owned(),
        }),
        ..letter(Uuid::now_v7())
    };
    let large = |size: usize| Letter {
        body: vec![b' '; size],
        ..letter(Uuid::now_v7())
    };
    let megabyte = 1024 * 1024;
    let mut ids = Vec::new();
    for letter in [
        large(9 * megabyte),
        large(3 * megabyte),
        large(2 * megabyte),
        elsewhere,
    ] {
        ids.push(kept(&service, &letter).await?);
    }
    let job = id_of(&replay(&service, json!({"letters": ids})).await?)?;
    for id in ids {
        let due = publish(&service, job, 100).await?;
        let due: Vec<_> = due.into_iter().map(|due| due.letter_id).collect();
        assert_eq!(due, [id]);
    }
    Ok(())
}
