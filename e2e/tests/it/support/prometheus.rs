//! The Prometheus of `deploy/compose.observe.yml`, beside the system under test.

use std::path::Path;

use anyhow::{Result, ensure};
use harness::{Compose, http_client, setting};
use reqwest::{Client, Url};
use serde_json::{Value, json};
use tokio::fs;

use crate::observe::LIMIT;

/// In a copy of its settings and rules it looks every second, and an alert takes seconds instead of minutes: what
/// stands in a file, and what instead. Queries are otherwise the same.
const QUICKER: [(&str, &str, &str); 6] = [
    (
        "prometheus.yml",
        "scrape_interval: 5s",
        "scrape_interval: 1s",
    ),
    (
        "prometheus.yml",
        "evaluation_interval: 5s",
        "evaluation_interval: 1s",
    ),
    (
        "prometheus.yml",
        "refresh_interval: 5s",
        "refresh_interval: 1s",
    ),
    ("rules.yml", "for: 1m", "for: 1s"),
    ("rules.yml", "[2m]", "[15s]"),
    ("rules.yml", "> 60", "> 3"),
];

/// What Prometheus knows.
pub(crate) struct Prometheus {
    http: Client,
    url: String,
    /// The Compose files of the system, and its own behind them.
    files: String,
}

impl Prometheus {
    /// Starts it with nothing known, and waits until it answers.
    pub(crate) async fn start(compose: &Compose) -> Result<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus");
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
        fs::create_dir_all(&folder).await?;
        for file in ["prometheus.yml", "rules.yml"] {
            let mut text = fs::read_to_string(deploy.join("observe").join(file)).await?;
            for (_, usual, quicker) in QUICKER.iter().filter(|(of, ..)| *of == file) {
                ensure!(text.contains(usual), "{file} does not say {usual}");
                text = text.replace(usual, quicker);
            }
            fs::write(folder.join(file), text).await?;
        }
        let copy = |file: &str| format!("{}/{file}:/etc/prometheus/{file}:ro", folder.display());
        // What it keeps ends with it.
        let data = json!({"type": "volume", "target": "/prometheus"});
        let volumes = json!([copy("prometheus.yml"), copy("rules.yml"), data]);
        let overlay = json!({"services": {"prometheus": {"volumes": volumes}}});
        let overlay_file = folder.join("overlay.yml");
        fs::write(&overlay_file, overlay.to_string()).await?;

        let observe = deploy.join("compose.observe.yml");
        let (observe, overlay) = (observe.display(), overlay_file.display());
        let prometheus = Self {
            http: http_client(LIMIT)?,
            url: format!("http://127.0.0.1:{}", setting("PROMETHEUS_PORT")?),
            files: format!("{}:{observe}:{overlay}", setting("COMPOSE_FILE")?),
        };
        let up = [
            "up",
            "--detach",
            "--no-build",
            "--no-deps",
            "--wait",
            "prometheus",
        ];
        prometheus.compose(compose, &up).await?;
        Ok(prometheus)
    }

    /// Removes it with what it knows.
    pub(crate) async fn remove(&self, compose: &Compose) -> Result<()> {
        let remove = ["rm", "--stop", "--force", "--volumes", "prometheus"];
        self.compose(compose, &remove).await
    }

    /// The series that a query finds now.
    pub(crate) async fn query(&self, expr: &str) -> Result<Vec<Value>> {
        let address = format!("{}/api/v1/query", self.url);
        let address = Url::parse_with_params(&address, [("query", expr)])?;
        let answer: Value = self.http.get(address).send().await?.json().await?;
        ensure!(answer["status"] == "success", "{expr}: {answer}");
        let series = answer["data"]["result"].as_array();
        Ok(series.cloned().unwrap_or_default())
    }

    /// Whether an alert of this name fires whose labels match.
    pub(crate) async fn fires(&self, name: &str, labels: &str) -> Result<bool> {
        let firing = format!(r#"ALERTS{{alertstate="firing",alertname="{name}",{labels}}}"#);
        Ok(!self.query(&firing).await?.is_empty())
    }

    async fn compose(&self, compose: &Compose, arguments: &[&str]) -> Result<()> {
        let variables = [("COMPOSE_FILE", self.files.as_str())];
        compose.run_with(&variables, arguments).await.map(drop)
    }
}
