use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use harness::http_client;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel, WebDriver};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::Look;

/// A browser has to start first, and others may do so at the same time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process `chromedriver`, which ends with this value.
pub(crate) struct Driver {
    _process: Child,
    /// Kept, because writing to a closed pipe would end the process.
    _output: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Driver {
    /// Starts it on a port that is free.
    pub(crate) async fn start() -> Result<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("no chromedriver: `./dev test browser` installs what these tests need")?;
        let output = process.stdout.take().context("no output")?;
        let mut output = BufReader::new(output).lines();
        let port = timeout(PATIENCE, port(&mut output))
            .await
            .context("chromedriver does not start")??;
        Ok(Self {
            _process: process,
            _output: output,
            url: format!("http://127.0.0.1:{port}"),
        })
    }

    /// A browser with a new profile.
    pub(crate) async fn browser(&self, look: Look) -> Result<WebDriver> {
        let mut wanted = ChromeCapabilities::new();
        let language = look.language.tag();
        for argument in [
            "--headless=new",
            // Chromium refuses to run in its sandbox as root, and only our own page is opened.
            "--no-sandbox",
            // A container's shared memory may be small.
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            &format!("--lang={language}"),
            &format!("--accept-lang={language}"),
        ] {
            wanted.add_arg(argument)?;
        }
        wanted.set_logging_prefs("browser", LoggingPrefsLogLevel::All)?;
        wanted.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
        let builder = WebDriver::builder(self.url.as_str(), wanted);
        let browser = builder.client(http_client(PATIENCE)?).connect();
        browser.await.context("no browser starts")
    }
}

async fn port(output: &mut Lines<BufReader<ChildStdout>>) -> Result<u16> {
    const SAYS: &str = "started successfully on port ";
    while let Some(line) = output.next_line().await? {
        if let Some((_, port)) = line.split_once(SAYS) {
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    bail!("chromedriver ended")
}
