//! The page is for everybody: whatever they see, whatever they type on, however small their screen is.

use anyhow::{Result, ensure};
use browser::{Look, Page, View, in_a_browser};
use harness::{Stack, wish};

use crate::ANYTHING;

#[tokio::test]
async fn axe_finds_nothing_serious_in_any_view_theme_and_language() -> Result<()> {
    let stack = Stack::shared().await?;
    stack
        .gateway
        .place_until(&wish(ANYTHING, 1), "confirmed")
        .await?;
    let mut found = Vec::new();
    for look in Look::ALL {
        in_a_browser(look, async |page| {
            for view in View::ALL {
                page.open(view).await?;
                page.screenshot(view).await?;
                let barriers = page.barriers().await?;
                found.extend(
                    barriers
                        .into_iter()
                        .map(|one| format!("{view}-{look}: {one}")),
                );
            }
            Ok(())
        })
        .await?;
    }
    ensure!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[tokio::test]
async fn the_keyboard_reaches_every_control() -> Result<()> {
    let _stack = Stack::shared().await?;
    in_a_browser(Look::default(), async |page| {
        in_every_view(page, async |_| page.out_of_reach().await).await
    })
    .await
}

#[tokio::test]
async fn nothing_has_to_be_scrolled_sideways_on_a_telephone() -> Result<()> {
    let _stack = Stack::shared().await?;
    for look in Look::ALL {
        in_a_browser(look.narrow(), async |page| {
            in_every_view(page, async |view| {
                page.screenshot(format!("{view}-narrow")).await?;
                let overhang = page.overhang().await?;
                let is_wide = (overhang > 0).then(|| format!("{overhang} px too wide"));
                Ok(is_wide.into_iter().collect())
            })
            .await
        })
        .await?;
    }
    Ok(())
}

/// Opens every view and expects that nothing is found there.
async fn in_every_view(
    page: &Page,
    mut look_at: impl AsyncFnMut(View) -> Result<Vec<String>>,
) -> Result<()> {
    let mut found = Vec::new();
    for view in View::ALL {
        page.open(view).await?;
        let wrong = look_at(view).await?;
        found.extend(wrong.into_iter().map(|one| format!("{view}: {one}")));
    }
    ensure!(found.is_empty(), "{found:#?}");
    Ok(())
}
