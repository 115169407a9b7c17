use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{SOON, eventually};
use serde_json::{Value, json};
use thirtyfour::{By, Key, WebDriver, WebElement};
use tokio::sync::Mutex;

use crate::driver::Driver;
use crate::{Look, Record, View};

/// The console's page in a browser. Elements are named by their `data-testid`.
pub struct Page {
    pub(crate) web: WebDriver,
    // After the browser, which asks its driver to end it.
    _driver: Driver,
    look: Look,
    origin: String,
    record: Mutex<Record>,
    failures_are_expected: AtomicBool,
}

impl Page {
    /// A browser that has opened nothing yet.
    pub(crate) async fn start(origin: &str, look: Look) -> Result<Self> {
        let driver = Driver::start().await?;
        let page = Self {
            web: driver.browser(look).await?,
            _driver: driver,
            look,
            origin: origin.trim_end_matches('/').to_owned(),
            record: Mutex::default(),
            failures_are_expected: AtomicBool::new(false),
        };
        page.apply_look().await?;
        Ok(page)
    }

    /// Opens a view and waits until it is there.
    pub async fn open(&self, view: View) -> Result<()> {
        self.go(&format!("/#/{view}")).await?;
        self.find("sentence").await?;
        eventually(format!("the view {view} is there"), SOON, async || {
            for landmark in view.landmarks() {
                if self.look_for(landmark).await?.is_some() {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Opens an address below that of the page, and waits for nothing but its files. What the browser has given up
    /// by itself is loaded again.
    pub async fn go(&self, path: &str) -> Result<()> {
        self.web.goto(format!("{}{path}", self.origin)).await?;
        eventually("the files are there", SOON, async || {
            self.record().await?;
            match self.record.lock().await.take_given_up() {
                0 => Ok(Some(())),
                _ => Ok(self.web.refresh().await.map(|()| None)?),
            }
        })
        .await
    }

    /// Leaves the page, and forgets what the browser noted about it.
    pub async fn leave(&self) -> Result<()> {
        self.web.goto("about:blank").await?;
        self.record().await?;
        self.record.lock().await.clear();
        Ok(())
    }

    /// Waits for an element.
    pub async fn find(&self, name: &str) -> Result<WebElement> {
        eventually(format!("{name} is there"), SOON, async || {
            self.look_for(name).await
        })
        .await
    }

    /// An element, if it is there and can be seen.
    pub async fn look_for(&self, name: &str) -> Result<Option<WebElement>> {
        for element in self.web.find_all(By::Testid(name)).await? {
            if element.is_displayed().await? {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// What an element says; nothing when it is not there.
    pub async fn text(&self, name: &str) -> Result<String> {
        match self.look_for(name).await? {
            Some(element) => Ok(element.text().await?),
            None => Ok(String::new()),
        }
    }

    /// Waits until what an element says is as it should be, and returns that.
    pub async fn text_becomes(
        &self,
        name: &str,
        limit: Duration,
        is_right: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let mut last = String::new();
        let waited = eventually(format!("{name} says it"), limit, async || {
            last = self.text(name).await?;
            Ok(is_right(&last).then(|| last.clone()))
        });
        let text = waited.await;
        text.with_context(|| format!("it says {last:?}"))
    }

    /// Presses something once it can be pressed.
    pub async fn press(&self, name: &str) -> Result<()> {
        eventually(format!("{name} can be pressed"), SOON, async || {
            let element = self.look_for(name).await?;
            let element = element.context("it is not there")?;
            ensure!(element.is_enabled().await?, "it is disabled");
            Ok(Some(element.click().await?))
        })
        .await
    }

    /// Types into a field, in the place of what is there.
    pub async fn fill(&self, name: &str, text: impl Display) -> Result<()> {
        let field = self.find(name).await?;
        // As people do it: a field that the page fills in itself does not notice when a driver clears it.
        field.send_keys(Key::Control + "a").await?;
        Ok(field.send_keys(text.to_string()).await?)
    }

    /// Chooses from a list, by the value of the choice, which is its text if it has no other.
    pub async fn choose(&self, name: &str, value: &str) -> Result<()> {
        self.find(name).await?;
        let choice = format!("//*[@data-testid='{name}']//option[@value='{value}' or .='{value}']");
        Ok(self.web.find(By::XPath(choice)).await?.click().await?)
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.web.execute(script, Vec::new()).await?.json().clone())
    }

    /// What the browser noted so far.
    pub async fn record(&self) -> Result<Record> {
        let mut record = self.record.lock().await;
        record.add_console(self.web.get_log("browser").await?);
        record.add_events(&self.web.get_log("performance").await?)?;
        Ok(record.clone())
    }

    /// From now on requests may fail, because the test takes away who answers them.
    pub fn expect_failures(&self) {
        self.failures_are_expected.store(true, Ordering::Relaxed);
    }

    /// Keeps a picture in `target/screenshots` and says where it is.
    pub async fn screenshot(&self, name: impl Display) -> Result<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        tokio::fs::create_dir_all(&folder).await?;
        let file = folder.join(format!("{name}-{}.png", self.look));
        self.web.screenshot(&file).await?;
        Ok(file)
    }

    pub(crate) async fn wrongs(&self) -> Result<Vec<String>> {
        let record = self.record().await?;
        let failures_are_expected = self.failures_are_expected.load(Ordering::Relaxed);
        Ok(record.wrongs(&self.origin, failures_are_expected))
    }

    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.web.quit().await?)
    }

    /// For the tab that is in front: a window cannot be narrower than a telephone, a view can.
    pub(crate) async fn apply_look(&self) -> Result<()> {
        let Look { width, height, .. } = self.look;
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let theme = json!({"name": "prefers-color-scheme", "value": self.look.theme.name()});
        let cdp = self.web.cdp();
        cdp.send_raw("Emulation.setDeviceMetricsOverride", size)
            .await?;
        cdp.send_raw("Emulation.setEmulatedMedia", json!({"features": [theme]}))
            .await?;
        Ok(())
    }
}
