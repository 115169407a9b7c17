use anyhow::{Context, Result, ensure};
use harness::setting;
use tokio::sync::Semaphore;

use crate::{Look, Page};

/// How many browsers are open at once. Each takes a core for itself, and with more of them than cores what is
/// tested answers too late.
static BROWSERS: Semaphore = Semaphore::const_new(2);

/// Runs a test with the console's page in a browser of its own, which is closed afterwards however the test ends.
///
/// # Errors
///
/// Those of the test; and what no page may do, even when the test itself is satisfied.
pub async fn in_a_browser<T>(look: Look, test: impl AsyncFnOnce(&Page) -> Result<T>) -> Result<T> {
    in_a_browser_at(&setting("GATEWAY_URL")?, look, test).await
}

/// The same with the page of another server, by its origin.
///
/// # Errors
///
/// The same.
pub async fn in_a_browser_at<T>(
    origin: &str,
    look: Look,
    test: impl AsyncFnOnce(&Page) -> Result<T>,
) -> Result<T> {
    let _turn = BROWSERS.acquire().await?;
    let page = Page::start(origin, look).await?;
    let outcome = test(&page).await;
    if outcome.is_err() {
        // A picture tells more than an error, and without one there is still the error.
        let test = std::thread::current()
            .name()
            .map(|name| name.replace("::", "-"));
        let name = format!("failed-{}", test.unwrap_or_default());
        let shot = page.screenshot(&name).await;
        eprintln!("{name}: {shot:?}");
    }
    let wrongs = page.wrongs().await;
    page.close().await?;
    let wrongs = wrongs?;
    let outcome = outcome.with_context(|| format!("beside it: {wrongs:?}"))?;
    ensure!(
        wrongs.is_empty(),
        "the page did what no page may: {wrongs:#?}"
    );
    Ok(outcome)
}
