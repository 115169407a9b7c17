use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use thirtyfour::Key;

use crate::Page;
use crate::keyboard::MANY;

/// Fetched from npm by `./dev test browser`.
const AXE: &str = "../../target/browser/node_modules/axe-core/axe.min.js";

/// Orders come while somebody looks, and a control with them.
const ROUNDS: usize = 10;

const FIND: &str = "
    const done = arguments[arguments.length - 1];
    const where = violation => violation.nodes.slice(0, 5).map(node => `${node.target} (${node.html})`).join('; ');
    axe.run(document, {resultTypes: ['violations']}).then(
        found => done(found.violations
            .filter(violation => ['serious', 'critical'].includes(violation.impact))
            .map(violation => `${violation.id}: ${violation.help}: ${where(violation)}`)),
        error => done([`axe fails: ${error}`]));";

/// Of radio buttons, and whatever else arrow keys go through, one in a group is in the way of the Tab key.
const WATCH: &str = "
    window.controls = () => {
        const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]');
        const is_there = one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.type !== 'radio'
            && one.type !== 'hidden' && one.getAttribute('tabindex') !== '-1' && !one.closest('[inert]');
        return [...all].filter(is_there);
    };
    window.present = new Set(window.controls());
    window.reached = new Set();
    window.size = 0;
    document.addEventListener('focusin', event => window.reached.add(event.target));
    document.activeElement?.blur();";

/// Whether the focus has come to something for the second time. In between it leaves the page, and a field for a
/// time has several stops.
const IS_ROUND: &str = "
    const [last, size] = [window.last, window.size];
    window.last = document.activeElement;
    window.size = window.reached.size;
    return window.last !== document.body && window.last !== last && window.size === size;";

/// What has been there since the round began, and whether more has come meanwhile.
const NOT_REACHED: &str = "
    const missed = window.controls().filter(one => !window.reached.has(one));
    const [old, late] = [true, false].map(is => missed.filter(one => window.present.has(one) === is));
    return [old.map(one => one.outerHTML.slice(0, 120)), late.length > 0];";

impl Page {
    /// What axe-core finds on the view that is open and calls serious or critical, as sentences.
    pub async fn barriers(&self) -> Result<Vec<String>> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(AXE);
        let axe = tokio::fs::read_to_string(&file).await;
        let axe = axe.context("no axe-core: `./dev test browser` fetches it")?;
        self.web.execute(axe, Vec::new()).await?;
        let found = self.web.execute_async(FIND, Vec::new()).await?;
        Ok(sentences(found.json()))
    }

    /// The controls on the view that is open to which the Tab key does not lead. What comes while the focus is
    /// on its way may be behind it already, and is left to another round.
    pub async fn out_of_reach(&self) -> Result<Vec<String>> {
        for _ in 0..ROUNDS {
            self.go_round().await?;
            let found = self.run(NOT_REACHED).await?;
            let missed = sentences(&found[0]);
            if !missed.is_empty() || found[1] == false {
                return Ok(missed);
            }
        }
        bail!("more and more controls come")
    }

    async fn go_round(&self) -> Result<()> {
        self.run(WATCH).await?;
        for _ in 0..MANY {
            let tab = self.web.action_chain().send_keys(Key::Tab);
            tab.perform().await?;
            if self.run(IS_ROUND).await? == true {
                return Ok(());
            }
        }
        bail!("the focus does not come round")
    }

    /// How far the page can be scrolled sideways, in CSS pixels.
    pub async fn overhang(&self) -> Result<i64> {
        let script = "return document.scrollingElement.scrollWidth - window.innerWidth";
        self.run(script).await?.as_i64().context("no number")
    }
}

fn sentences(found: &Value) -> Vec<String> {
    let found = found.as_array().into_iter().flatten();
    found
        .map(|one| one.as_str().unwrap_or_default().to_owned())
        .collect()
}
