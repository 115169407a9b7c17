use std::fmt::Display;

use anyhow::{Result, bail};
use harness::{SOON, eventually};
use serde_json::Value;
use thirtyfour::Key;

use crate::Page;

/// Whatever is on a page, it has fewer controls.
pub(crate) const MANY: usize = 400;
/// No list has more choices.
const CHOICES: usize = 20;

/// Where the Tab key has to go from where the focus is.
const WHERE: &str = "
    const there = one => one.dataset.testid === arguments[0] && one.checkVisibility({visibilityProperty: true}) && !one.disabled;
    const wanted = [...document.querySelectorAll('[data-testid]')].find(there);
    const now = document.activeElement ?? document.body;
    if (!wanted) return 'nowhere';
    if (now === wanted) return 'here';
    return now.compareDocumentPosition(wanted) & Node.DOCUMENT_POSITION_PRECEDING ? 'back' : 'on';";

/// As somebody uses the page who has no mouse.
impl Page {
    /// Goes to something by the Tab key, once it can be used.
    pub async fn tab_to(&self, name: &str) -> Result<()> {
        eventually(format!("{name} can be used"), SOON, async || {
            let place = self.place_of(name).await?;
            Ok((place != "nowhere").then_some(()))
        })
        .await?;
        for _ in 0..MANY {
            let keys = self.web.action_chain();
            let keys = match self.place_of(name).await?.as_str() {
                Some("here") => return Ok(()),
                Some("back") => keys
                    .key_down(Key::Shift)
                    .send_keys(Key::Tab)
                    .key_up(Key::Shift),
                _ => keys.send_keys(Key::Tab),
            };
            keys.perform().await?;
        }
        bail!("the Tab key does not lead to {name}")
    }

    /// Presses something by the Enter key.
    pub async fn enter(&self, name: &str) -> Result<()> {
        self.tab_to(name).await?;
        let enter = self.web.action_chain().send_keys(Key::Enter);
        Ok(enter.perform().await?)
    }

    /// Types into a field, in the place of what is there.
    pub async fn type_in(&self, name: &str, text: impl Display) -> Result<()> {
        self.tab_to(name).await?;
        let field = self.web.active_element().await?;
        field.send_keys(Key::Control + "a").await?;
        Ok(field.send_keys(text.to_string()).await?)
    }

    /// Goes through a list by the arrow keys, up to the choice with this value.
    pub async fn arrow_to(&self, name: &str, value: &str) -> Result<()> {
        self.tab_to(name).await?;
        let list = self.web.active_element().await?;
        list.send_keys(Key::Home).await?;
        for _ in 0..CHOICES {
            if list.value().await?.as_deref() == Some(value) {
                return Ok(());
            }
            list.send_keys(Key::Down).await?;
        }
        bail!("the arrow keys do not lead to {value} in {name}")
    }

    async fn place_of(&self, name: &str) -> Result<Value> {
        let place = self.web.execute(WHERE, vec![Value::from(name)]).await?;
        Ok(place.json().clone())
    }
}
