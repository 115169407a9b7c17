use std::fs;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::curve::Curves;
use super::drawing::drawing;

/// Where the READMEs show the curve, from the root of the repository.
const DRAWING: &str = "docs/images/scaling.svg";
/// What the page of the console shows of it, which is built into the next image.
const PAGE: &str = "services/console/page/scaling.json";

/// Draws the curve and writes it down for the page of the console, if it was measured. Both are kept by git.
///
/// # Errors
///
/// When a file cannot be written, as anywhere but in the root of the repository.
pub fn publish(figures: &Map<String, Value>) -> Result<()> {
    let Some(curves) = figures.get("scaling") else {
        return Ok(());
    };
    let curves = Curves::deserialize(curves)?;
    fs::write(DRAWING, drawing(&curves)).context(DRAWING)?;
    let page = for_the_page(&curves, figures, Timestamp::now());
    let page = serde_json::to_string_pretty(&page)?;
    fs::write(PAGE, page + "\n").context(PAGE)
}

fn for_the_page(curves: &Curves, figures: &Map<String, Value>, now: Timestamp) -> Value {
    json!({
        "measured_at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "machine": figures.get("machine"),
        "commit": figures.get("commit"),
        "rabbitmq": curves.rabbitmq,
        "kafka": curves.kafka,
    })
}

#[cfg(test)]
mod tests {
    use super::super::curve::steps;
    use super::*;

    #[test]
    fn the_page_is_told_when_and_where_it_was_measured() {
        let curves = Curves {
            rabbitmq: steps(&[(1, 40.0)]),
            kafka: Vec::new(),
        };
        let machine = Map::from_iter([("machine".to_owned(), json!("2 cores"))]);
        let page = for_the_page(&curves, &machine, Timestamp::UNIX_EPOCH);
        let step = json!({"consumers": 1, "per_s": 40.0, "times": 1.0, "of_ideal": 1.0});
        let expected = json!({
            "measured_at": "1970-01-01T00:00:00Z", "machine": "2 cores", "commit": null,
            "rabbitmq": [step], "kafka": [],
        });
        assert_eq!(page, expected);
    }
}
