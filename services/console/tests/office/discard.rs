//! What nobody needs, and needs after all.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use messaging::{Letter, LetterOrigin};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Service;
use crate::support::letters::{again, keep, kept, letter};

use crate::mend::edit;

#[sqlx::test]
async fn what_is_discarded_can_be_restored_unless_it_has_come_again(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let first = letter(Uuid::now_v7());
    let id = kept(&service, &first).await?;
    let act = async |what: &str, body: Value| {
        let answer = service
            .post(&format!("/api/console/letters/{what}"), &body)
            .await?;
        anyhow::Ok((answer.status, answer.body["count"].clone()))
    };
    let (discard, restore) = (
        json!({"by": "Ada", "reason": "a test", "letters": [id]}),
        json!({"by": "Bo", "letters": [id]}),
    );
    assert_eq!(
        act("discard", discard.clone()).await?,
        (StatusCode::OK, json!(1))
    );
    assert_eq!(
        act("discard", discard.clone()).await?,
        (StatusCode::OK, json!(0))
    );
    let shown = service
        .get(&format!("/api/console/letters/{id}"))
        .await?
        .body;
    assert_eq!(shown["discarded"]["by"], "Ada");
    assert_eq!(shown["discarded"]["reason"], "a test");
    let edited = service
        .post(
            &format!("/api/console/letters/{id}/revisions"),
            &edit(Uuid::nil(), 0),
        )
        .await?;
    assert_eq!(edited.status, StatusCode::CONFLICT);
    assert_eq!(
        act("restore", restore.clone()).await?,
        (StatusCode::OK, json!(1))
    );
    act("discard", discard).await?;
    keep(&service, &[again(&first)]).await?;
    assert_eq!(act("restore", restore).await?, (StatusCode::OK, json!(0)));
    let shown = service
        .get(&format!("/api/console/letters/{id}"))
        .await?
        .body;
    let history = shown["history"].as_array().context("no history")?;
    let told: Vec<_> = history
        .iter()
        .map(|entry| (entry["who"].as_str(), entry["what"].as_str()))
        .collect();
    let (service, ada, bo) = (Some("inventory"), Some("Ada"), Some("Bo"));
    let expected = [
        (service, Some("failed")),
        (ada, Some("discarded")),
        (bo, Some("restored")),
        (ada, Some("discarded")),
    ];
    assert_eq!(told, expected);
    Ok(())
}

#[sqlx::test]
async fn all_that_match_are_discarded_only_if_they_are_as_many_as_expected(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let of_topic = Letter {
        origin: Some(LetterOrigin::Broker {
            queue: "order.payment-deadlines".to_owned(),
            reason: "delivery_limit".to_owned(),
        }),
        ..letter(Uuid::now_v7())
    };
    keep(
        &service,
        &[letter(Uuid::now_v7()), letter(Uuid::now_v7()), of_topic],
    )
    .await?;
    let discard = async |set: Value| {
        let mut asked = json!({"by": "Ada", "reason": "a test"});
        for (name, value) in set.as_object().into_iter().flatten() {
            asked[name] = value.clone();
        }
        service.post("/api/console/letters/discard", &asked).await
    };
    let filter = json!({"consumer": "inventory.stock-commands"});
    let fewer = discard(json!({"filter": filter, "expected": 3})).await?;
    assert_eq!(fewer.status, StatusCode::CONFLICT);
    for (set, field) in [
        (json!({"filter": filter}), "expected"),
        (json!({}), "letters"),
        (
            json!({"letters": [Uuid::now_v7()], "filter": filter, "expected": 2}),
            "letters",
        ),
    ] {
        let refused = discard(set.clone()).await?;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{set}");
        assert_eq!(refused.fields(), [field], "{set}");
    }
    let all = discard(json!({"filter": filter, "expected": 2})).await?;
    assert_eq!(all.body["count"], 2);
    assert_eq!(service.get("/api/console/letters").await?.body["count"], 1);
    Ok(())
}

#[sqlx::test]
async fn all_that_match_are_restored_only_if_they_are_as_many_as_expected(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(kept(&service, &letter(Uuid::now_v7())).await?);
    }
    let discard = json!({"by": "Ada", "reason": "a test", "letters": &ids[1..]});
    service
        .post("/api/console/letters/discard", &discard)
        .await?;
    let restore = async |filter: Value, expected: i64| {
        let asked = json!({"by": "Bo", "filter": filter, "expected": expected});
        service.post("/api/console/letters/restore", &asked).await
    };
    let discarded = json!({"state": "discarded", "consumer": "inventory.stock-commands"});
    for (filter, expected) in [
        (&discarded, 3),
        // What is open was never discarded, whoever expects it.
        (&json!({"state": "open"}), 1),
        (&json!({"state": "discarded", "q": "nothing"}), 2),
    ] {
        let refused = restore(filter.clone(), expected).await?;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{filter}");
    }
    let without = json!({"by": "Bo", "filter": discarded});
    let refused = service
        .post("/api/console/letters/restore", &without)
        .await?;
    assert_eq!(refused.fields(), ["expected"]);
    let all = restore(discarded, 2).await?;
    assert_eq!(
        (all.status, &all.body["count"]),
        (StatusCode::OK, &json!(2))
    );
    assert_eq!(service.get("/api/console/letters").await?.body["count"], 3);
    Ok(())
}

#[sqlx::test]
async fn of_two_letters_about_one_message_one_is_restored(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let first = letter(Uuid::now_v7());
    let mut ids = Vec::new();
    for copy in [first.clone(), again(&first)] {
        let id = kept(&service, &copy).await?;
        let discard = json!({"by": "Ada", "reason": "a test", "letters": [id]});
        service
            .post("/api/console/letters/discard", &discard)
            .await?;
        ids.push(id);
    }
    let restore = json!({"by": "Ada", "letters": ids});
    let restored = service
        .post("/api/console/letters/restore", &restore)
        .await?;
    assert_eq!(restored.body["count"], 1);
    Ok(())
}
