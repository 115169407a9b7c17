//! The first look, and the second one.

use std::time::Instant;

use anyhow::{Result, ensure};
use browser::{Language, Look, Theme, View, in_a_browser};
use harness::Stack;

/// What a first visit may cost on the line, in bytes.
const MOST: u64 = 120 * 1024;

#[tokio::test]
async fn a_first_visit_is_small_and_a_second_one_only_asks_whether_something_has_changed()
-> Result<()> {
    let _stack = Stack::shared().await?;
    let look = Look::new(Theme::Dark, Language::Chinese);
    in_a_browser(look, async |page| {
        let start = Instant::now();
        page.open(View::Flow).await?;
        let usable = start.elapsed();
        let first = page.record().await?;
        // The stream goes on for as long as somebody looks.
        let (stream, files): (Vec<_>, Vec<_>) = first
            .requests()
            .partition(|request| request.url.ends_with("/stream"));
        let [streamed, bytes] = [&stream, &files].map(|requests| {
            let bytes = requests.iter().map(|request| request.bytes);
            bytes.sum::<u64>()
        });
        let number = files.len();
        println!(
            "usable after {usable:.1?}: {bytes} bytes in {number} requests, {streamed} streamed"
        );
        ensure!(bytes <= MOST, "{files:#?}");

        page.leave().await?;
        page.open(View::Flow).await?;
        let second = page.record().await?;
        let files = second.requests();
        let files = files.filter(|request| !request.url.contains("/api/"));
        let files: Vec<_> = files.collect();
        ensure!(files.len() > 3, "{files:#?}");
        let is_new = |status: u16| status != 304;
        let loaded = files.iter().filter(|file| file.status.is_some_and(is_new));
        let loaded: Vec<_> = loaded.collect();
        ensure!(loaded.is_empty(), "{loaded:#?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_page_is_as_the_browser_is_set_and_can_be_switched() -> Result<()> {
    let _stack = Stack::shared().await?;
    in_a_browser(Look::new(Theme::Dark, Language::Chinese), async |page| {
        page.open(View::Flow).await?;
        let language = "return document.documentElement.lang";
        ensure!(page.run(language).await? == "zh-CN");
        ensure!(is_dark(page).await?);
        page.press("lang").await?;
        ensure!(page.run(language).await? == "en");
        page.choose("theme", "light").await?;
        ensure!(!is_dark(page).await?);
        // A choice outlives the visit.
        page.leave().await?;
        page.open(View::Flow).await?;
        ensure!(page.run(language).await? == "en");
        ensure!(!is_dark(page).await?);
        Ok(())
    })
    .await
}

async fn is_dark(page: &browser::Page) -> Result<bool> {
    // The background may be that of another element, and letters are light where it is dark.
    let brightness = "
        const [r, g, b] = getComputedStyle(document.body).color.match(/[0-9.]+/g).map(Number);
        return (r + g + b) / 3 > 128";
    Ok(page.run(brightness).await? == true)
}
