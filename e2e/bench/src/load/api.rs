use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Gateway, eventually, http_client};
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// So often is each asked, one after the other.
const TIMES: usize = 200;
/// Until the gateway has found the console.
const LIMIT: Duration = Duration::from_secs(60);

/// A question to the console, and whether there is an answer.
struct Question {
    name: &'static str,
    path: String,
    finds: bool,
}

/// How long the console takes to answer what its page asks, with a deep page of orders that begins behind this one.
///
/// # Errors
///
/// When it does not answer, or finds nothing where there is something.
pub async fn console_api(before: Uuid) -> Result<Value> {
    let gateway = Gateway::new(http_client(Duration::from_secs(10))?)?;
    let (mut p50, mut p99) = (Map::new(), Map::new());
    for question in questions(before) {
        question.is_answered(&gateway).await?;
        let times = question.times(&gateway).await?;
        let [half, most] = [0.5, 0.99].map(|quantile| ms(&times, quantile));
        eprintln!("{:>24}: p50 {half} ms, p99 {most} ms", question.name);
        p50.insert(question.name.to_owned(), half.into());
        p99.insert(question.name.to_owned(), most.into());
    }
    Ok(json!({"console_api_p50_ms": p50, "console_api_p99_ms": p99}))
}

fn questions(before: Uuid) -> Vec<Question> {
    let deep = format!("orders?before={before}");
    let questions = [
        ("orders", "orders", true),
        ("orders by status", "orders?status=rejected", true),
        ("orders of a customer", "orders?email=customer4711@", true),
        ("orders, deep page", deep.as_str(), true),
        ("letters", "letters", true),
        (
            "letters of a consumer",
            "letters?consumer=notification.email",
            true,
        ),
        ("letters with a text", "letters?q=customer4711@", true),
        ("letters without a hit", "letters?q=nobody-has-this", false),
        ("groups of letters", "letters/groups", true),
    ];
    let questions = questions.into_iter().map(|(name, path, finds)| Question {
        name,
        path: format!("/api/console/{path}"),
        finds,
    });
    questions.collect()
}

impl Question {
    /// Nothing is found quickly.
    async fn is_answered(&self, gateway: &Gateway) -> Result<()> {
        let answer = eventually(self.name, LIMIT, async || {
            let answer = gateway.get(&self.path).await?;
            Ok((answer.status == 200).then_some(answer))
        });
        let answer = answer.await?.body;
        let mut values = answer.as_object().into_iter().flat_map(Map::values);
        let found = values.find_map(Value::as_array).context("no list")?;
        ensure!(found.is_empty() != self.finds, "{}: {answer}", self.path);
        Ok(())
    }

    /// In microseconds.
    async fn times(&self, gateway: &Gateway) -> Result<Histogram<u64>> {
        let mut times = Histogram::new(3)?;
        for _ in 0..TIMES {
            let asked = Instant::now();
            gateway.bytes(&self.path).await?;
            times.record(u64::try_from(asked.elapsed().as_micros())?)?;
        }
        Ok(times)
    }
}

/// To a hundredth.
fn ms(times: &Histogram<u64>, quantile: f64) -> f64 {
    (times.value_at_quantile(quantile) as f64 / 10.0).round() / 100.0
}
