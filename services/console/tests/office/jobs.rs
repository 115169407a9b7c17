//! Which letters a job has, and what is asked of it.

use anyhow::Result;
use axum::http::StatusCode;
use console::store;
use messaging::Letter;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::letters::{kept, letter};
use crate::support::replays::{id_of, publish, replay, some, states};
use crate::support::{Service, samples};

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
