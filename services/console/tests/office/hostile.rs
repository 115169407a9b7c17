//! Whatever comes in is kept.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use messaging::{HeaderValue, Letter, LetterHeader};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::letters::{all, keep, kept, letter};
use crate::support::{Service, samples};

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
