//! What could not be handled is looked at, mended, and given back to the consumer that failed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use browser::{Look, Page, View, in_a_browser};
use contracts::topology::{COMMANDS, STOCK_COMMANDS, STOCK_RELEASE, STOCK_RESERVE};
use contracts::{Message, ReserveStock};
use harness::{
    Letter, RawAmqp, RawMessage, SOON, Stack, cloud_event, eventually, take_command, wish,
};
use uuid::Uuid;

use crate::ANYTHING;
use crate::support::SOMEBODY;

/// A service may have to start first, and spans come every few seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// By the keyboard alone.
#[tokio::test]
async fn a_command_of_an_unsupported_version_is_mended_and_its_order_is_confirmed() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["inventory"]).await?;
    let order = stack.gateway.place(&wish(ANYTHING, 1)).await?.id;
    let body = take_command(&stack, order).await?;
    let newer = cloud_event("spillway.reserve-stock.v999");
    let sent = newer.properties();
    stack
        .rabbitmq
        .publish(COMMANDS.name, STOCK_RESERVE, sent, &body)
        .await?;
    stack.compose.up(&[("inventory", 1)]).await?;
    let letter = kept(&stack, &newer.id).await?;
    let wrong = body.replace(r#""quantity":1"#, r#""quantity":"one""#);
    ensure!(wrong != body, "{body}");
    in_a_browser(Look::default(), async |page| {
        page.open(View::Letters).await?;
        page.type_in("name", SOMEBODY).await?;
        page.type_in("letters-search", &newer.id).await?;
        page.enter("letters-find").await?;
        page.text_becomes("group-0", SOON, |text| text.contains(STOCK_COMMANDS))
            .await?;
        page.find(&format!("letter-row-{}", letter.id)).await?;
        page.screenshot("letters").await?;
        page.enter(&format!("letter-link-{}", letter.id)).await?;

        page.enter("letter-edit").await?;
        page.arrow_to("letter-type", ReserveStock::TYPE).await?;
        page.type_in("letter-text", &wrong).await?;
        // The refusal is what is looked for.
        page.expect_failures();
        page.enter("letter-save").await?;
        page.text_becomes("letter-wrong", SOON, |text| {
            text.contains("/lines/0/quantity")
        })
        .await?;
        page.screenshot("letter-wrong").await?;
        // What was typed is still there after a reload.
        eventually("the draft is kept", SOON, async || {
            let path = format!("/api/console/letters/{}", letter.id);
            let draft = stack.gateway.get(&path).await?.body["draft"]["body"].take();
            Ok((draft == wrong.as_str()).then_some(()))
        })
        .await?;
        load(page, letter.id).await?;
        let typed = "return document.querySelector('[data-testid=letter-text]')?.value ?? null";
        eventually("the draft is shown", SOON, async || {
            Ok((page.run(typed).await? == wrong.as_str()).then_some(()))
        })
        .await?;

        page.arrow_to("letter-type", ReserveStock::TYPE).await?;
        page.type_in("letter-text", &body).await?;
        page.enter("letter-save").await?;
        // It can be used once that is saved.
        page.enter("letter-replay").await?;
        page.text_becomes("letter-outcome", LIMIT, |text| text.contains("inventory"))
            .await?;
        stack.gateway.reaches(order, "confirmed", LIMIT).await?;
        for what in ["edited", "replayed", "handled"] {
            let path = format!("/api/console/letters/{}", letter.id);
            let history = stack.gateway.get(&path).await?.body["history"].take();
            let mut history = history.as_array().context("no history")?.iter();
            ensure!(history.any(|entry| entry["what"] == what), "{what}");
        }
        page.screenshot("letter-handled").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn two_windows_and_a_double_click_replay_a_letter_once() -> Result<()> {
    let stack = Stack::shared().await?;
    let letter = unreadable(&stack, b"no JSON").await?;
    in_a_browser(Look::default(), async |page| {
        show(page, letter.id).await?;
        let first = page.tabs().await?.pop().context("no tab")?;
        page.new_tab().await?;
        show(page, letter.id).await?;
        page.expect_failures();
        let twice = "for (let i = 0; i < 2; i++) document.querySelector('[data-testid=letter-replay]')?.click()";
        page.run(twice).await?;
        page.turn_to(&first).await?;
        page.run(twice).await?;
        eventually("it has failed again", LIMIT, async || {
            let now = stack.letters.get(letter.id).await?;
            Ok((now.failures > 1 && now.state == "open").then_some(()))
        })
        .await?;
        let now = stack.letters.get(letter.id).await?;
        // Whoever pressed while it was on its way was refused; later it would be another replay.
        ensure!(now.failures <= 3, "{now:?}");
        page.text_becomes("letter-outcome", LIMIT, |text| {
            text.contains("failed again")
        })
        .await
        .map(drop)
    })
    .await
}

#[tokio::test]
async fn hostile_bytes_are_shown_and_do_nothing() -> Result<()> {
    let stack = Stack::shared().await?;
    let bodies: [&[u8]; 8] = [
        b"<img src=x onerror=alert(1)>",
        b"\"><script>alert(1)</script>",
        "\u{202e}gnp.exe".as_bytes(),
        b"\0NUL",
        b"\xff\xfe not UTF-8",
        b"",
        &[0; 64 * 1024],
        br#"{"n":9007199254740993,"a":1,"a":2}"#,
    ];
    in_a_browser(Look::default(), async |page| {
        for body in bodies {
            let letter = unreadable(&stack, body).await?;
            show(page, letter.id).await?;
            let shown = page.find("letter-body").await?.text().await?;
            if let Ok(text) = std::str::from_utf8(body)
                && !text.contains('\0')
            {
                ensure!(shown.contains(text.trim()), "{shown:?} instead of {text:?}");
            }
            let scripts = "return document.querySelectorAll('main img, main script').length";
            ensure!(page.run(scripts).await? == 0, "{body:?}");
            ensure!(stack.letters.body(letter.id).await? == body, "{body:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn letters_that_nobody_needs_are_discarded_with_a_reason_and_restored() -> Result<()> {
    let stack = Stack::shared().await?;
    let unknown = cloud_event("spillway.release-stock.v998");
    let sent = unknown.properties();
    stack
        .rabbitmq
        .publish(COMMANDS.name, STOCK_RELEASE, sent, "{}")
        .await?;
    let letter = kept(&stack, &unknown.id).await?;
    in_a_browser(Look::default(), async |page| {
        show(page, letter.id).await?;
        page.press("letter-discard").await?;
        page.fill("letters-reason", "only a test").await?;
        page.press("letter-discard").await?;
        stack.letters.reaches(letter.id, "discarded", SOON).await?;
        page.press("letter-restore").await?;
        stack.letters.reaches(letter.id, "open", SOON).await?;
        Ok(())
    })
    .await
}

/// Opens the view of one letter, by somebody who has a name.
async fn show(page: &Page, letter: Uuid) -> Result<()> {
    // Another address first, so that this one is loaded anew.
    page.open(View::Letters).await?;
    page.fill("name", SOMEBODY).await?;
    load(page, letter).await
}

/// Loads the page of one letter anew.
async fn load(page: &Page, letter: Uuid) -> Result<()> {
    page.go(&format!("/?again={}#/letters/{letter}", Uuid::now_v7()))
        .await?;
    // There in any case; the body gives way to the editor where there is a draft.
    page.find("letter-state").await.map(drop)
}

/// A command that nobody can read, as the console keeps it.
async fn unreadable(stack: &Stack, body: &[u8]) -> Result<Letter> {
    let id = Uuid::now_v7().to_string();
    let message = RawMessage {
        message_id: id.clone().into_bytes(),
        message_type: ReserveStock::TYPE.as_bytes().to_vec(),
        headers: Vec::new(),
        body: body.to_vec(),
    };
    RawAmqp::connect()
        .await?
        .publish(STOCK_COMMANDS, &message)
        .await?;
    kept(stack, &id).await
}

async fn kept(stack: &Stack, message_id: &str) -> Result<Letter> {
    let ids = [message_id.to_owned()];
    let mut letters = stack.letters.with_ids(&ids, LIMIT).await?;
    letters.pop().context("no letter")
}
