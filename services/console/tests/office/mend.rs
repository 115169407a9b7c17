//! Edits and drafts.

use anyhow::Result;
use axum::http::StatusCode;
use messaging::Letter;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Service;
use crate::support::letters::{kept, letter};

const RELEASE: &str = "spillway.release-stock.v1";

pub(crate) fn edit(order: Uuid, base: i32) -> Value {
    json!({
        "by": "Ada", "base": base, "message_type": RELEASE,
        "body": format!("{{\n  \"order_id\": \"{order}\"\n}}\n"),
    })
}

#[sqlx::test]
async fn an_edit_is_a_revision_and_the_original_stays(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let order = Uuid::now_v7();
    let id = kept(&service, &letter(order)).await?;
    let path = format!("/api/console/letters/{id}");
    let saved = service
        .post(&format!("{path}/revisions"), &edit(order, 0))
        .await?;
    assert_eq!(
        (saved.status, &saved.body["revision"]),
        (StatusCode::CREATED, &json!(1))
    );
    let shown = service.get(&path).await?.body;
    assert_eq!(shown["message_type"], RELEASE);
    assert_eq!(shown["body"]["text"], edit(order, 0)["body"]);
    assert_eq!(
        shown["original"]["message_type"],
        "spillway.release-stock.v9"
    );
    assert_eq!(
        shown["original"]["body"]["text"],
        format!(r#"{{"order_id":"{order}"}}"#)
    );
    let changes = &shown["revisions"][0]["changes"];
    let expected = json!([{
        "pointer": "type", "before": "spillway.release-stock.v9", "after": RELEASE,
    }]);
    assert_eq!(changes, &expected);
    let as_it_came = service.get(&format!("{path}/body?revision=0")).await?;
    assert_eq!(as_it_came.bytes, format!(r#"{{"order_id":"{order}"}}"#));
    let none = service.get(&format!("{path}/body?revision=2")).await?;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    Ok(())
}

#[sqlx::test]
async fn what_its_consumer_would_not_take_is_refused_by_its_place_and_nothing_is_stored(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let order = Uuid::now_v7();
    let id = kept(&service, &letter(order)).await?;
    let path = format!("/api/console/letters/{id}");
    let with = |name: &str, value: Value| {
        let mut edit = edit(order, 0);
        edit[name] = value;
        edit
    };
    for (wrong, field) in [
        (with("body", json!(r#"{"order_id":7}"#)), "body/order_id"),
        (with("body", json!(r#"{"order_id":"7"}"#)), "body/order_id"),
        (with("body", json!("{}")), "body"),
        (with("body", json!("{")), "body"),
        (with("body", json!("")), "body"),
        (
            with("message_type", json!("spillway.release-stock.v9")),
            "message_type",
        ),
        (with("message_type", Value::Null), "message_type"),
        (with("message_id", json!(Uuid::now_v7())), "message_id"),
        (with("by", json!("")), "by"),
        (with("by", json!("a\u{0}")), "by"),
        (with("base", json!(-1)), "base"),
    ] {
        let answer = service.post(&format!("{path}/revisions"), &wrong).await?;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert_eq!(
            answer.fields().first(),
            Some(&field),
            "{wrong} {}",
            answer.body
        );
    }
    assert_eq!(service.get(&path).await?.body["revision"], 0);
    Ok(())
}

#[sqlx::test]
async fn a_message_without_an_id_gets_one_by_an_edit(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let order = Uuid::now_v7();
    let anonymous = Letter {
        message_id: None,
        ..letter(order)
    };
    let id = kept(&service, &anonymous).await?;
    let path = format!("/api/console/letters/{id}/revisions");
    let (mut given, new) = (edit(order, 0), Uuid::now_v7());
    for (wrong, field) in [(Value::Null, "message_id"), (json!("7"), "message_id")] {
        given["message_id"] = wrong;
        assert_eq!(service.post(&path, &given).await?.fields(), [field]);
    }
    given["message_id"] = json!(new);
    assert_eq!(
        service.post(&path, &given).await?.status,
        StatusCode::CREATED
    );
    let shown = service.get(&format!("/api/console/letters/{id}")).await?;
    assert_eq!(shown.body["message_id"], json!(new));
    Ok(())
}

#[sqlx::test]
async fn of_two_editors_the_second_is_told(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let order = Uuid::now_v7();
    let id = kept(&service, &letter(order)).await?;
    let path = format!("/api/console/letters/{id}/revisions");
    assert_eq!(
        service.post(&path, &edit(order, 0)).await?.status,
        StatusCode::CREATED
    );
    let second = service.post(&path, &edit(order, 0)).await?;
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert_eq!(
        service.post(&path, &edit(order, 1)).await?.status,
        StatusCode::CREATED
    );
    Ok(())
}

#[sqlx::test]
async fn a_draft_is_kept_as_it_is_until_it_is_saved(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let order = Uuid::now_v7();
    let id = kept(&service, &letter(order)).await?;
    let path = format!("/api/console/letters/{id}");
    let mut draft = edit(order, 0);
    for body in ["{", "not yet \u{202e} JSON", ""] {
        draft["body"] = json!(body);
        let kept = service.put(&format!("{path}/draft"), &draft).await?;
        assert_eq!(kept.status, StatusCode::OK);
        let shown = service.get(&path).await?;
        assert_eq!(shown.body["draft"]["body"], body);
        assert_eq!(shown.body["draft"]["by"], "Ada");
    }
    service
        .post(&format!("{path}/revisions"), &edit(order, 0))
        .await?;
    assert!(service.get(&path).await?.body["draft"].is_null());
    let nowhere = format!("/api/console/letters/{}/draft", Uuid::now_v7());
    assert_eq!(
        service.put(&nowhere, &draft).await?.status,
        StatusCode::NOT_FOUND
    );
    Ok(())
}

#[sqlx::test]
async fn a_mended_letter_is_found_by_its_new_text_and_order(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let broken = Letter {
        body: b"no JSON".to_vec(),
        ..letter(Uuid::nil())
    };
    let (id, order) = (kept(&service, &broken).await?, Uuid::now_v7());
    let path = format!("/api/console/letters/{id}");
    service
        .post(&format!("{path}/revisions"), &edit(order, 0))
        .await?;
    assert_eq!(service.get(&path).await?.body["order_id"], json!(order));
    let found = service
        .get(&format!("/api/console/letters?q={order}"))
        .await?;
    assert_eq!(found.body["count"], 1);
    Ok(())
}
