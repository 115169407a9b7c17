//! What comes in.

use anyhow::{Context, Result};
use console::store;
use messaging::{Letter, LetterOrigin};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Service;
use crate::support::letters::{again, all, keep, kept, letter, only};

#[sqlx::test]
async fn a_letter_that_is_delivered_twice_counts_once(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let letter = letter(Uuid::now_v7());
    for _ in 0..3 {
        keep(&service, &[letter.clone(), letter.clone()]).await?;
    }
    let kept = only(&service).await?;
    assert_eq!((kept.attempts, kept.failures), (1, 1));
    Ok(())
}

#[sqlx::test]
async fn a_copy_joins_the_open_letter_and_attempts_add_up(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let first = letter(Uuid::now_v7());
    let copy = Letter {
        attempts: 6,
        reason: "another reason".to_owned(),
        ..again(&first)
    };
    keep(&service, &[first, copy]).await?;
    let kept = only(&service).await?;
    assert_eq!((kept.attempts, kept.failures), (7, 2));
    assert_eq!(kept.reason, "another reason");
    Ok(())
}

#[sqlx::test]
async fn the_same_message_is_another_letter_for_another_consumer_and_after_the_first_is_done_with(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let first = letter(Uuid::now_v7());
    let id = kept(&service, &first).await?;
    for elsewhere in [
        Letter {
            service: Some("order".to_owned()),
            ..again(&first)
        },
        Letter {
            handler: Some("another".to_owned()),
            ..again(&first)
        },
    ] {
        keep(&service, &[elsewhere]).await?;
    }
    assert_eq!(all(&service).await?.len(), 3);
    store::discard_letters(&service.pool, "Ada", "not needed", &[id]).await?;
    keep(&service, &[again(&first)]).await?;
    assert_eq!(all(&service).await?.len(), 4);
    Ok(())
}

#[sqlx::test]
async fn records_without_an_id_are_told_apart_by_their_place(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let at = |offset| Letter {
        message_id: None,
        origin: Some(LetterOrigin::Topic {
            topic: "stock-events".to_owned(),
            partition: 3,
            offset,
            group: "order.stock-events".to_owned(),
            key: None,
        }),
        ..letter(Uuid::nil())
    };
    let (one, other) = (at(1), at(2));
    keep(&service, &[one.clone(), other, again(&one)]).await?;
    let letters = all(&service).await?;
    let failures: Vec<_> = letters.iter().map(|letter| letter.failures).collect();
    assert_eq!(failures, [2, 1]);
    let letter = letters.first().context("no letter")?;
    assert_eq!(letter.consumer, "order.stock-events");
    assert_eq!(letter.target.as_deref(), Some("order.stock-events.replays"));
    Ok(())
}

#[sqlx::test]
async fn what_a_replay_has_become_joins_its_letter_also_under_another_id(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let first = letter(Uuid::now_v7());
    let id = kept(&service, &first).await?;
    let failed_again = Letter {
        message_id: Some(Uuid::now_v7().to_string()),
        replay_of: Some(id),
        attempts: 6,
        ..again(&first)
    };
    keep(&service, &[failed_again]).await?;
    let kept = only(&service).await?;
    assert_eq!((kept.id, kept.attempts, kept.failures), (id, 7, 2));
    let history = store::history(&service.pool, id).await?;
    let what: Vec<_> = history.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(what, ["failed", "failed-again"]);
    Ok(())
}

#[sqlx::test]
async fn what_the_broker_gave_up_in_two_queues_is_two_letters(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let first = letter(Uuid::now_v7());
    let given_up = |queue: &str| Letter {
        origin: Some(LetterOrigin::Broker {
            queue: queue.to_owned(),
            reason: "delivery_limit".to_owned(),
        }),
        service: None,
        handler: None,
        ..again(&first)
    };
    let (email, push) = (
        given_up("notification.email"),
        given_up("notification.push"),
    );
    keep(&service, &[email, push]).await?;
    assert_eq!(all(&service).await?.len(), 2);
    Ok(())
}
