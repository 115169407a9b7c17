//! Jobs, as far as no broker is needed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use axum::http::StatusCode;
use console::store::{self, Span};
use jiff::Timestamp;
use messaging::{HeaderValue, Letter, LetterHeader, LetterOrigin};
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::letters::{again, keep, kept, letter};
use crate::support::{Answer, Service, samples};

/// Letters that can be replayed.
async fn some(service: &Service, count: usize) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(kept(service, &letter(Uuid::now_v7())).await?);
    }
    Ok(ids)
}

async fn replay(service: &Service, set: Value) -> Result<Answer> {
    let mut asked = json!({"by": "Ada"});
    for (name, value) in set.as_object().into_iter().flatten() {
        asked[name] = value.clone();
    }
    service.post("/api/console/replays", &asked).await
}

/// What would have been published next, as if the broker had taken it.
async fn publish(service: &Service, job: Uuid, limit: i64) -> Result<Vec<store::Due>> {
    let due = store::due(&service.pool, job, limit).await?;
    let positions: Vec<_> = due.iter().map(|due| due.position).collect();
    let ids = || due.iter().map(|due| due.letter_id.as_bytes().to_vec());
    let (traces, spans): (Vec<_>, Vec<_>) =
        (ids().collect(), ids().map(|id| id[8..].to_vec()).collect());
    store::released(&service.pool, job, &positions, &traces, &spans).await?;
    Ok(due)
}

/// The span of a consumer that has handled a replay, or failed to.
fn span(letter: Uuid, error: Option<&str>) -> Span {
    Span {
        trace_id: letter.as_bytes().to_vec(),
        span_id: Uuid::now_v7().as_bytes()[8..].to_vec(),
        parent_id: letter.as_bytes()[8..].to_vec(),
        name: "process inventory.own:inventory.stock-commands".to_owned(),
        service: "inventory".to_owned(),
        instance: "one".to_owned(),
        started_at: Timestamp::now(),
        duration_us: 1_500,
        attributes: Map::default(),
        error: error.map(str::to_owned),
    }
}

/// The letter that a replay with this trace has become.
fn back(letter: &Letter, replay_of: Uuid, trace: Uuid) -> Letter {
    let mut back = again(letter);
    back.replay_of = Some(replay_of);
    back.headers.push(LetterHeader {
        name: "traceparent".to_owned(),
        value: HeaderValue::Text(format!("00-{}-00f067aa0ba902b7-01", trace.simple())),
    });
    back
}

fn id_of(answer: &Answer) -> Result<Uuid> {
    Ok(answer.body["id"].as_str().context("no job")?.parse()?)
}

async fn states(service: &Service) -> Result<BTreeMap<String, usize>> {
    let mut states = BTreeMap::new();
    for letter in crate::support::letters::all(service).await? {
        *states.entry(letter.state).or_default() += 1;
    }
    Ok(states)
}

#[sqlx::test]
async fn a_set_is_frozen_and_what_arrives_later_is_not_in_it(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    some(&service, 3).await?;
    let filter = json!({"consumer": "inventory.stock-commands"});
    let fewer = replay(&service, json!({"filter": filter, "expected": 2})).await?;
    assert_eq!(fewer.status, StatusCode::CONFLICT);
    let job = replay(
        &service,
        json!({"filter": filter, "expected": 3, "rate": 50}),
    )
    .await?;
    assert_eq!(job.status, StatusCode::CREATED, "{}", job.body);
    some(&service, 1).await?;
    let shown = service
        .get(&format!("/api/console/replays/{}", id_of(&job)?))
        .await?;
    assert_eq!(shown.body["total"], 3);
    assert_eq!(shown.body["waiting"], 3);
    assert_eq!(shown.body["rate"], 50);
    assert_eq!(shown.body["letters"].as_array().map(Vec::len), Some(3));
    let expected = [("open".to_owned(), 1), ("replaying".to_owned(), 3)];
    assert_eq!(states(&service).await?, expected.into());
    Ok(())
}

#[sqlx::test]
async fn of_two_who_replay_a_letter_the_second_is_told(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let ids = some(&service, 1).await?;
    assert_eq!(
        replay(&service, json!({"letters": ids})).await?.status,
        StatusCode::CREATED
    );
    let second = replay(&service, json!({"letters": ids})).await?;
    assert_eq!(second.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(second.body["errors"][0]["message"], "it is being replayed");
    Ok(())
}

#[sqlx::test]
async fn what_cannot_be_replayed_says_why(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let homeless = Letter {
        origin: None,
        ..letter(Uuid::now_v7())
    };
    let anonymous = Letter {
        message_id: None,
        ..letter(Uuid::now_v7())
    };
    let homeless = kept(&service, &homeless).await?;
    let anonymous = kept(&service, &anonymous).await?;
    for (id, reason) in [
        (homeless, "nobody knows which consumer has failed"),
        (anonymous, "the message has no id or no type: edit it first"),
        (Uuid::now_v7(), "there is no such letter"),
    ] {
        let refused = replay(&service, json!({"letters": [id]})).await?;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["errors"][0]["message"], reason);
    }
    for rate in [json!(0), json!(-1), json!(10_001)] {
        let refused = replay(&service, json!({"letters": [homeless], "rate": rate})).await?;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{rate}");
        assert_eq!(refused.fields(), ["rate"]);
    }
    Ok(())
}

#[sqlx::test]
async fn what_is_overtaken_is_replayed_only_by_name(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let order = store::Order {
        version: 3,
        ..samples::order()
    };
    store::save_orders(
        &mut *service.pool.acquire().await?,
        std::slice::from_ref(&order),
    )
    .await?;
    let old = Letter {
        body: format!(r#"{{"order":{{"id":"{}","version":1}}}}"#, order.id).into_bytes(),
        ..letter(order.id)
    };
    let id = kept(&service, &old).await?;
    let all = replay(&service, json!({"filter": {}, "expected": 1})).await?;
    assert_eq!(all.status, StatusCode::UNPROCESSABLE_ENTITY);
    let named = replay(&service, json!({"letters": [id]})).await?;
    assert_eq!(named.status, StatusCode::CREATED);
    Ok(())
}

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
async fn a_job_is_paused_changed_and_stopped(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let ids = some(&service, 3).await?;
    let job = id_of(&replay(&service, json!({"letters": ids})).await?)?;
    let path = format!("/api/console/replays/{job}");
    let change = async |with: Value| {
        let mut change = json!({"by": "Bo"});
        for (name, value) in with.as_object().into_iter().flatten() {
            change[name] = value.clone();
        }
        service.patch(&path, &change).await
    };
    for (with, name, expected) in [
        (json!({"state": "paused"}), "state", json!("paused")),
        (json!({"rate": 200}), "rate", json!(200)),
        (json!({"state": "running"}), "state", json!("running")),
        (json!({}), "state", json!("running")),
    ] {
        let changed = change(with.clone()).await?;
        assert_eq!(changed.body[name], expected, "{with}");
    }
    for (wrong, status, field) in [
        (json!({"rate": 0}), StatusCode::UNPROCESSABLE_ENTITY, "rate"),
        (
            json!({"rate": 10_001}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "rate",
        ),
        (json!({"state": "done"}), StatusCode::BAD_REQUEST, "state"),
    ] {
        let refused = change(wrong.clone()).await?;
        assert_eq!(
            (refused.status, refused.fields()),
            (status, vec![field]),
            "{wrong}"
        );
    }
    publish(&service, job, 1).await?;
    let stopped = change(json!({"state": "stopped"})).await?;
    assert_eq!(
        (&stopped.body["sent"], &stopped.body["stopped"]),
        (&json!(1), &json!(2))
    );
    let expected = [("open".to_owned(), 2), ("sent".to_owned(), 1)];
    assert_eq!(states(&service).await?, expected.into());
    assert_eq!(
        change(json!({"state": "running"})).await?.status,
        StatusCode::CONFLICT
    );
    let unknown = format!("/api/console/replays/{}", Uuid::now_v7());
    let unknown = service.patch(&unknown, &json!({"by": "Bo"})).await?;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
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
    let mut seen = Vec::new();
    for _ in 0..4 {
        let due = publish(&service, job, 100).await?;
        seen.extend(due.into_iter().map(|due| due.letter_id));
    }
    assert_eq!(seen, ids);
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
