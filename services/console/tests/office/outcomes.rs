//! How replays end.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use console::store;
use messaging::Letter;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Service;
use crate::support::letters::{again, keep, kept, letter};
use crate::support::replays::{back, id_of, publish, replay, some, span, states};

#[sqlx::test]
async fn an_outcome_is_known_by_the_span_of_handling_or_by_the_letter_that_comes_back(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let (works, fails) = (letter(Uuid::now_v7()), letter(Uuid::now_v7()));
    let handled = kept(&service, &works).await?;
    let failed = kept(&service, &fails).await?;
    let job = id_of(&replay(&service, json!({"letters": [handled, failed]})).await?)?;
    publish(&service, job, 100).await?;
    // An attempt that has failed may be followed by another.
    store::save_spans(&service.pool, &[span(handled, Some("too early"))]).await?;
    store::settle_replays(&service.pool).await?;
    assert_eq!(states(&service).await?, [("sent".to_owned(), 2)].into());
    store::save_spans(&service.pool, &[span(handled, None)]).await?;
    store::settle_replays(&service.pool).await?;
    let back = Letter {
        reason: "still wrong".to_owned(),
        ..back(&fails, failed, failed)
    };
    keep(&service, &[back]).await?;
    let shown = service
        .get(&format!("/api/console/replays/{job}"))
        .await?
        .body;
    assert_eq!(
        (&shown["handled"], &shown["failed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(shown["letters"][0]["letter"], json!(failed));
    assert_eq!(shown["letters"][0]["error"], "still wrong");
    let shown = service
        .get(&format!("/api/console/letters/{handled}"))
        .await?
        .body;
    assert_eq!(shown["replay"]["state"], "handled");
    assert_eq!(shown["replay"]["by_instance"], "inventory one");
    assert_eq!(shown["replay"]["duration_ms"], 1.5);
    let again = replay(&service, json!({"letters": [handled]})).await?;
    let reason = again.body["errors"][0]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(reason.starts_with("already handled at"), "{reason}");
    assert_eq!(
        replay(&service, json!({"letters": [failed]})).await?.status,
        StatusCode::CREATED
    );
    Ok(())
}

#[sqlx::test]
async fn a_replay_names_the_doubt_of_which_whoever_wanted_it_was_told(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let doubtful = Letter {
        doubt: Some(first),
        ..letter(Uuid::now_v7())
    };
    let id = kept(&service, &doubtful).await?;
    let job = id_of(&replay(&service, json!({"letters": [id]})).await?)?;
    let doubts = |due: Vec<store::Due>| due.into_iter().map(|due| due.doubt).collect::<Vec<_>>();
    assert_eq!(doubts(publish(&service, job, 1).await?), [Some(first)]);
    // The console dies before it has learned that this replay came to another doubt. What it sends once more is a copy.
    store::send_again(&service.pool).await?;
    let of_the_copy = Letter {
        doubt: Some(second),
        ..again(&doubtful)
    };
    keep(&service, &[of_the_copy]).await?;
    assert_eq!(doubts(publish(&service, job, 1).await?), [Some(first)]);
    let ended = Letter {
        doubt: Some(second),
        ..back(&doubtful, id, id)
    };
    keep(&service, &[ended]).await?;

    let job = id_of(&replay(&service, json!({"letters": [id]})).await?)?;
    assert_eq!(doubts(publish(&service, job, 1).await?), [Some(second)]);
    Ok(())
}

#[sqlx::test]
async fn a_replay_of_what_was_handled_before_says_that_it_had_no_effect(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let ids = some(&service, 3).await?;
    let [known, new, twice] = ids[..] else {
        anyhow::bail!("not three letters");
    };
    let job = id_of(&replay(&service, json!({"letters": ids})).await?)?;
    publish(&service, job, 3).await?;
    let recognised = |id| {
        let mut span = span(id, None);
        let (name, value) = ("spillway.inbox.duplicate", json!(true));
        span.attributes.insert(name.to_owned(), value);
        span
    };
    // The last one was handled, delivered once more and then recognised: it has had its effect.
    let spans = [
        recognised(known),
        span(new, None),
        recognised(twice),
        span(twice, None),
    ];
    store::save_spans(&service.pool, &spans).await?;
    store::settle_replays(&service.pool).await?;
    let path = format!("/api/console/replays/{job}");
    let shown = service.get(&path).await?.body;
    assert_eq!(
        (&shown["handled"], &shown["duplicates"]),
        (&json!(3), &json!(1))
    );
    for (id, duplicate, what) in [
        (known, true, "recognised"),
        (new, false, "handled"),
        (twice, false, "handled"),
    ] {
        let of_job = shown["letters"].as_array().context("no letters")?;
        let of_job = of_job.iter().find(|one| one["letter"] == json!(id));
        assert_eq!(of_job.context("it is missing")?["duplicate"], duplicate);
        let path = format!("/api/console/letters/{id}");
        let letter = service.get(&path).await?.body;
        assert_eq!(letter["state"], "handled");
        assert_eq!(letter["replay"]["duplicate"], duplicate);
        let history = letter["history"].as_array().context("no history")?;
        let last = history.last().context("an empty history")?;
        assert_eq!(
            (&last["who"], &last["what"]),
            (&json!("inventory one"), &json!(what))
        );
    }
    Ok(())
}

#[sqlx::test]
async fn a_copy_of_a_letter_says_nothing_about_its_replay(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let one = letter(Uuid::now_v7());
    let id = kept(&service, &one).await?;
    let job = id_of(&replay(&service, json!({"letters": [id]})).await?)?;
    publish(&service, job, 1).await?;
    keep(&service, &[again(&one)]).await?;
    let letter = crate::support::letters::only(&service).await?;
    assert_eq!((letter.state.as_str(), letter.failures), ("sent", 2));
    Ok(())
}

#[sqlx::test]
async fn without_news_for_a_minute_a_letter_is_open_again_and_late_news_count(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let ids = some(&service, 1).await?;
    let job = id_of(&replay(&service, json!({"letters": ids})).await?)?;
    publish(&service, job, 1).await?;
    let long_ago = "update replays set sent_at = clock_timestamp() - interval '61 s'";
    sqlx::query(long_ago).execute(&service.pool).await?;
    store::settle_replays(&service.pool).await?;
    let shown = service
        .get(&format!("/api/console/replays/{job}"))
        .await?
        .body;
    assert_eq!(shown["silent"], 1);
    assert_eq!(states(&service).await?, [("open".to_owned(), 1)].into());
    for id in ids {
        store::save_spans(&service.pool, &[span(id, None)]).await?;
    }
    store::settle_replays(&service.pool).await?;
    assert_eq!(states(&service).await?, [("handled".to_owned(), 1)].into());
    Ok(())
}

#[sqlx::test]
async fn what_is_on_its_way_when_a_console_starts_is_sent_again(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let ids = some(&service, 3).await?;
    let job = id_of(&replay(&service, json!({"letters": ids})).await?)?;
    publish(&service, job, 2).await?;
    store::save_spans(&service.pool, &[span(ids[0], None)]).await?;
    store::settle_replays(&service.pool).await?;
    store::send_again(&service.pool).await?;
    let progress = store::progress(&service.pool, job)
        .await?
        .context("it runs")?;
    assert_eq!(
        (progress.handled, progress.sent, progress.waiting),
        (1, 0, 2)
    );
    let due = store::due(&service.pool, job, 10).await?;
    let due: Vec<_> = due.iter().map(|due| due.letter_id).collect();
    assert_eq!(due, ids[1..]);
    Ok(())
}

#[sqlx::test]
async fn a_failure_of_an_earlier_replay_says_nothing_about_the_present_one(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let one = letter(Uuid::now_v7());
    let id = kept(&service, &one).await?;
    let job = id_of(&replay(&service, json!({"letters": [id]})).await?)?;
    publish(&service, job, 1).await?;
    let old = back(&one, id, Uuid::now_v7());
    keep(&service, &[old]).await?;
    let letter = crate::support::letters::only(&service).await?;
    assert_eq!((letter.state.as_str(), letter.failures), ("sent", 2));
    keep(&service, &[back(&one, id, id)]).await?;
    let letter = crate::support::letters::only(&service).await?;
    assert_eq!((letter.state.as_str(), letter.failures), ("open", 3));
    Ok(())
}
