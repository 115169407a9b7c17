//! What comes in.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use console::store;
use messaging::{HeaderValue, Letter, LetterHeader, LetterOrigin};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::letters::{again, all, keep, kept, letter, only};
use crate::support::{Service, samples};

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
async fn any_bytes_are_kept_as_they_are(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let bodies = [
        Vec::new(),
        b"<img src=x onerror=alert(1)>\"><script>".to_vec(),
        "\u{202e}evil".as_bytes().to_vec(),
        b"\0\0".to_vec(),
        vec![0xff, 0xfe, 0x00],
        br#"{"n":9007199254740993,"a":1,"a":2}"#.to_vec(),
        vec![0; 64 * 1024],
        vec![b'x'; 1024 * 1024],
    ];
    for body in bodies {
        let hostile = Letter {
            body: body.clone(),
            reason: "a\0b".to_owned(),
            message_type: Some("\0".to_owned()),
            headers: vec![
                LetterHeader {
                    name: "\0".to_owned(),
                    value: HeaderValue::Bytes(vec![0xff]),
                },
                LetterHeader {
                    name: "text".to_owned(),
                    value: HeaderValue::Text("a\0b".to_owned()),
                },
            ],
            ..letter(Uuid::nil())
        };
        let id = kept(&service, &hostile).await?;
        let path = format!("/api/console/letters/{id}");
        let answer = service.get(&format!("{path}/body")).await?;
        assert_eq!(answer.bytes, body);
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert!(
            answer
                .header("content-disposition")
                .starts_with("attachment")
        );
        let shown = service.get(&path).await?;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.body["body"]["size"], body.len());
        let is_text =
            !body.contains(&0) && body.len() <= 65_536 && std::str::from_utf8(&body).is_ok();
        assert_eq!(shown.body["body"]["text"].is_string(), is_text);
        assert_eq!(shown.body["body"]["hex"].is_string(), !is_text);
        assert_eq!(shown.body["headers"][0]["encoding"], "base64");
        assert_eq!(shown.body["headers"][0]["value"], "/w==");
    }
    Ok(())
}

#[sqlx::test]
async fn a_letter_of_which_nothing_is_known_is_kept(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let unknown = Letter {
        origin: None,
        service: None,
        handler: None,
        time: None,
        message_id: None,
        message_type: None,
        ..letter(Uuid::nil())
    };
    let id = kept(&service, &unknown).await?;
    let shown = service.get(&format!("/api/console/letters/{id}")).await?;
    assert_eq!(shown.body["consumer"], "?");
    assert_eq!(shown.body["source"]["kind"], "unknown");
    assert!(shown.body["target"].is_null());
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

#[sqlx::test]
async fn a_time_that_cannot_be_is_that_of_the_arrival(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let before = samples::now();
    for time in [
        "-009999-06-01T00:00:00Z",
        "9999-12-30T00:00:00Z",
        "1969-12-31T23:59:59Z",
    ] {
        let wild = Letter {
            time: Some(time.parse()?),
            ..letter(Uuid::now_v7())
        };
        keep(&service, &[wild]).await?;
    }
    let letters = all(&service).await?;
    assert_eq!(letters.len(), 3);
    for letter in letters {
        assert!(letter.first_at.to_jiff() >= before, "{letter:?}");
    }
    Ok(())
}

#[sqlx::test]
async fn a_letter_that_cannot_be_stored_whole_keeps_no_other_away(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    // As if there were something that nobody has thought of.
    let refused = "alter table letters add check (handler <> 'impossible' or search = '')";
    sqlx::query(refused).execute(&service.pool).await?;
    let impossible = Letter {
        handler: Some("impossible".to_owned()),
        body: b"the body".to_vec(),
        ..letter(Uuid::now_v7())
    };
    keep(
        &service,
        &[letter(Uuid::now_v7()), impossible, letter(Uuid::now_v7())],
    )
    .await?;
    let letters = all(&service).await?;
    assert_eq!(letters.len(), 3);
    let reduced = letters
        .iter()
        .find(|letter| letter.is_cut)
        .context("none")?;
    assert!(reduced.reason.contains("not all of it could be stored"));
    let body = format!("/api/console/letters/{}/body", reduced.id);
    assert_eq!(service.get(&body).await?.bytes, "the body");
    Ok(())
}
