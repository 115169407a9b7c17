use anyhow::Result;
use thirtyfour::WindowHandle;

use crate::Page;

impl Page {
    /// Opens a tab beside those that are open, and brings it to the front.
    pub async fn new_tab(&self) -> Result<()> {
        let tab = self.web.new_tab().await?;
        self.web.switch_to_window(tab).await?;
        self.apply_look().await
    }

    /// All tabs.
    pub async fn tabs(&self) -> Result<Vec<WindowHandle>> {
        Ok(self.web.windows().await?)
    }

    /// Brings a tab to the front.
    pub async fn turn_to(&self, tab: &WindowHandle) -> Result<()> {
        Ok(self.web.switch_to_window(tab.clone()).await?)
    }
}
