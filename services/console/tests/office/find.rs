//! Looking for letters.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use console::store;
use messaging::{Letter, LetterOrigin};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::letters::{REASON, keep, kept, letter};
use crate::support::{Answer, Service, samples};

fn ids(answer: &Answer) -> Vec<&str> {
    let letters = answer.body["letters"].as_array();
    letters
        .into_iter()
        .flatten()
        .filter_map(|letter| letter["id"].as_str())
        .collect()
}

#[sqlx::test]
async fn pages_show_every_letter_once_newest_first(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(kept(&service, &letter(Uuid::now_v7())).await?.to_string());
    }
    expected.reverse();
    for limit in [1, 3, 7, 100] {
        let (mut seen, mut before) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/console/letters?limit={limit}{before}");
            let page = service.get(&path).await?;
            assert_eq!(page.body["count"], 7);
            assert_eq!(page.body["count_is_more"], false);
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            before = format!("&before={next}");
        }
        assert_eq!(seen, expected, "{limit}");
    }
    Ok(())
}

#[sqlx::test]
async fn letters_are_found_by_each_filter(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let order = Uuid::now_v7();
    let first = kept(&service, &letter(order)).await?.to_string();
    let other = Letter {
        origin: Some(LetterOrigin::Topic {
            topic: "order-events".to_owned(),
            partition: 0,
            offset: 7,
            group: "notification.order-events".to_owned(),
            key: None,
        }),
        reason: "Nobody is 100% sure".to_owned(),
        message_type: Some("spillway.order-placed.v1".to_owned()),
        body: b"not JSON".to_vec(),
        ..letter(Uuid::nil())
    };
    let other = kept(&service, &other).await?.to_string();
    store::discard_letters(&service.pool, "Ada", "not needed", &[other.parse()?]).await?;
    for (query, expected) in [
        ("", vec![&first]),
        ("state=open", vec![&first]),
        ("state=all", vec![&other, &first]),
        ("state=discarded", vec![&other]),
        ("state=handled", vec![]),
        ("consumer=inventory.stock-commands&state=all", vec![&first]),
        ("consumer=notification.order-events&state=all", vec![&other]),
        ("type=spillway.order-placed.v1&state=all", vec![&other]),
        ("q=unsupported", vec![&first]),
        ("q=UNSUPPORTED", vec![&first]),
        ("q=not%20json&state=all", vec![&other]),
        ("q=%25&state=all", vec![&other]),
        ("q=100_&state=all", vec![]),
        ("q=&consumer=", vec![&first]),
        ("since=2100-01-01T00:00:00Z", vec![]),
        ("until=2100-01-01T00:00:00Z", vec![&first]),
    ] {
        let answer = service
            .get(&format!("/api/console/letters?{query}"))
            .await?;
        assert_eq!(ids(&answer), expected, "{query}");
    }
    let by_order = service
        .get(&format!("/api/console/letters?q={order}"))
        .await?;
    assert_eq!(ids(&by_order), [&first]);
    Ok(())
}

#[sqlx::test]
async fn a_filter_that_is_malformed_is_refused_by_its_name(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for list in ["letters", "letters/groups", "letters/export"] {
        for (field, value) in [
            ("state", "lost"),
            ("since", "yesterday"),
            ("until", ""),
            ("q", "%00"),
            ("consumer", "a%00"),
            ("pattern", "%00"),
            ("type", "%00"),
        ] {
            let path = format!("/api/console/{list}?{field}={value}");
            let answer = service.get(&path).await?;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
            assert_eq!(answer.fields(), [field], "{path}");
        }
    }
    Ok(())
}

#[sqlx::test]
async fn letters_are_grouped_by_consumer_and_reason_without_numbers(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for number in 0..3 {
        let of_group = Letter {
            reason: format!("line {number} of {}", Uuid::now_v7()),
            ..letter(Uuid::now_v7())
        };
        keep(&service, &[of_group]).await?;
    }
    keep(&service, &[letter(Uuid::now_v7())]).await?;
    let answer = service.get("/api/console/letters/groups").await?;
    let groups = answer.body["groups"].as_array().context("no groups")?;
    let told: Vec<_> = groups
        .iter()
        .map(|group| (group["pattern"].as_str(), group["count"].as_i64()))
        .collect();
    let masked = REASON.replace('9', "#");
    assert_eq!(
        told,
        [
            (Some("line # of #"), Some(3)),
            (Some(masked.as_str()), Some(1))
        ]
    );
    let of_group = "/api/console/letters?pattern=line%20%23%20of%20%23";
    assert_eq!(ids(&service.get(of_group).await?).len(), 3);
    Ok(())
}

#[sqlx::test]
async fn a_letter_of_an_order_that_has_moved_on_is_overtaken(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let of_version = |order: Uuid, version: i32| Letter {
        body: format!(r#"{{"order":{{"id":"{order}","version":{version}}}}}"#).into_bytes(),
        message_type: Some("spillway.order-placed.v1".to_owned()),
        ..letter(order)
    };
    let state = |order: Uuid| Letter {
        origin: Some(LetterOrigin::Topic {
            topic: "products".to_owned(),
            partition: 0,
            offset: 7,
            group: "order.products".to_owned(),
            key: None,
        }),
        ..letter(order)
    };
    let reserve = |order: Uuid| Letter {
        message_type: Some("spillway.reserve-stock.v9".to_owned()),
        ..letter(order)
    };
    let pending = samples::order();
    let confirmed = store::Order {
        version: 2,
        status: "confirmed".to_owned(),
        ..samples::order()
    };
    let orders = [pending.clone(), confirmed.clone()];
    store::save_orders(&mut *service.pool.acquire().await?, &orders).await?;
    for (letter, expected) in [
        (of_version(pending.id, 1), false),
        (of_version(confirmed.id, 1), true),
        (of_version(confirmed.id, 2), false),
        (of_version(Uuid::now_v7(), 1), false),
        (reserve(pending.id), false),
        (reserve(confirmed.id), true),
        (letter(confirmed.id), false),
        (state(pending.id), true),
    ] {
        let id = kept(&service, &letter).await?;
        let shown = service.get(&format!("/api/console/letters/{id}")).await?;
        assert_eq!(shown.body["overtaken"], expected, "{letter:?}");
    }
    Ok(())
}

#[sqlx::test]
async fn an_export_has_a_line_for_each_letter(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for number in 0..120_u32 {
        let one = Letter {
            body: number.to_be_bytes().to_vec(),
            ..letter(Uuid::now_v7())
        };
        keep(&service, &[one]).await?;
    }
    let answer = service.get("/api/console/letters/export").await?;
    assert!(
        answer
            .header("content-disposition")
            .contains("dead-letters.jsonl")
    );
    let text = std::str::from_utf8(&answer.bytes)?;
    let mut bodies = Vec::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        assert_eq!(line["letter"]["reason"], REASON);
        bodies.push(line["body_base64"].as_str().context("no body")?.to_owned());
    }
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 120);
    Ok(())
}
