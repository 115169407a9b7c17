use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{Link, Page};

/// Every link of these pages that leads nowhere, and every command that is not there, for a workspace at
/// this path. Addresses of other machines are not asked.
///
/// # Errors
///
/// When a file cannot be read.
pub fn broken_links(workspace: &Path, pages: &[Page]) -> Result<Vec<String>> {
    let dev = fs::read_to_string(workspace.join("dev"))?;
    let commands = commands(&dev);
    let mut broken = Vec::new();
    for page in pages {
        let shown = page.path.strip_prefix(workspace).unwrap_or(&page.path);
        let mut report = |what: String| broken.push(format!("{}: {what}", shown.display()));
        for section in &page.sections {
            for link in section.links() {
                if let Some(why) = follow(page, &link)? {
                    report(format!("[{}]({}) {why}", link.label, link.target));
                }
            }
            let blocks = section.blocks.iter().map(|block| &block.text);
            for code in section.inline_code().iter().chain(blocks) {
                for word in words_after(code, "./dev") {
                    if is_name(word) && !commands.contains(&word) {
                        report(format!("`./dev {word}` is no command"));
                    }
                }
                for word in words_after(code, "--example") {
                    let is_in = |crate_name| {
                        let example = format!("shared/{crate_name}/examples/{word}.rs");
                        workspace.join(example).exists()
                    };
                    if is_name(word) && !["messaging", "runtime"].into_iter().any(is_in) {
                        report(format!("there is no example {word}"));
                    }
                }
            }
        }
    }
    Ok(broken)
}

/// Why a link leads nowhere.
fn follow(page: &Page, link: &Link) -> Result<Option<String>> {
    if link.target.contains("://") {
        return Ok(None);
    }
    let (file, anchor) = match link.target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (link.target.as_str(), None),
    };
    let folder = page.path.parent().unwrap_or(Path::new("."));
    let target = if file.is_empty() {
        page.path.clone()
    } else {
        folder.join(file)
    };
    if !file.is_empty() && !target.exists() {
        return Ok(Some("leads to no file".to_owned()));
    }
    if let Some(anchor) = anchor {
        let anchors = if file.is_empty() {
            page.anchors()
        } else {
            Page::read(&target)?.anchors()
        };
        if !anchors.iter().any(|found| found == anchor) {
            return Ok(Some("leads to no heading".to_owned()));
        }
    }
    // A link that is named after a function or a type says that it is there.
    let name = link
        .label
        .strip_prefix('`')
        .and_then(|name| name.strip_suffix('`'));
    if let Some(name) = name.filter(|name| is_identifier(name))
        && target
            .extension()
            .is_some_and(|extension| extension == "rs")
        && !fs::read_to_string(&target)?
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| word == name)
    {
        return Ok(Some(format!("has no {name}")));
    }
    Ok(None)
}

/// What `./dev` understands: the labels of its `case`.
fn commands(dev: &str) -> Vec<&str> {
    let lines = dev.lines().skip_while(|line| !line.starts_with("case "));
    let labels = lines.filter_map(|line| line.strip_prefix("  ")?.split_once(')'));
    let labels = labels.flat_map(|(labels, _)| labels.split('|'));
    labels
        .map(str::trim)
        .filter(|label| is_name(label))
        .collect()
}

fn words_after<'a>(code: &'a str, before: &str) -> impl Iterator<Item = &'a str> {
    let pairs = code.lines().flat_map(|line| {
        let words = line.split_whitespace();
        words.clone().zip(words.skip(1)).collect::<Vec<_>>()
    });
    let found = pairs.filter(move |(first, _)| *first == before);
    found.map(|(_, word)| word)
}

/// A name in lower case, which a placeholder is not.
fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || "_-".contains(c))
        && !word.starts_with('-')
}

fn is_identifier(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_')
}
