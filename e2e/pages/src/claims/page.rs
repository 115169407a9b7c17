use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A page of Markdown, as far as it makes claims.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is.
    pub path: PathBuf,
    /// What is before the first heading comes first, under a heading of level 0.
    pub sections: Vec<Section>,
}

/// A heading and what is below it up to the next one.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// 1 for the title of the page, and so on.
    pub level: usize,
    /// The words of the heading.
    pub heading: String,
    /// The text without code blocks.
    pub text: String,
    /// The code blocks.
    pub blocks: Vec<Block>,
}

/// A block of code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the fence.
    pub info: String,
    /// Its lines.
    pub text: String,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// What one reads.
    pub label: String,
    /// Where it leads.
    pub target: String,
}

impl Page {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Ok(Self::parse(path, &text))
    }

    /// Every page of a folder and the folders in it.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let mut pages = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                pages.extend(Self::read_all(&path)?);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(Self::read(&path)?);
            }
        }
        Ok(pages)
    }

    /// Takes a text apart that is at this path.
    #[must_use]
    pub fn parse(path: &Path, text: &str) -> Self {
        let mut sections = vec![Section::default()];
        let mut block: Option<Block> = None;
        for line in text.lines() {
            let section = match sections.last_mut() {
                Some(section) => section,
                None => continue,
            };
            if let Some(mut open) = block.take() {
                if line.starts_with("```") {
                    section.blocks.push(open);
                } else {
                    open.text.push_str(line);
                    open.text.push('\n');
                    block = Some(open);
                }
            } else if let Some(info) = line.strip_prefix("```") {
                let info = info.trim().to_owned();
                block = Some(Block {
                    info,
                    ..Block::default()
                });
            } else if let Some((level, heading)) = heading(line) {
                sections.push(Section {
                    level,
                    heading: heading.to_owned(),
                    ..Section::default()
                });
            } else {
                section.text.push_str(line);
                section.text.push('\n');
            }
        }
        let path = path.to_owned();
        Self { path, sections }
    }

    /// The names by which its headings can be linked to.
    #[must_use]
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.sections.iter().filter(|section| section.level > 0);
        headings.map(|section| anchor(&section.heading)).collect()
    }
}

impl Section {
    /// The links in its text and heading.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        let text = format!("{}\n{}", self.heading, self.text);
        let mut links = Vec::new();
        let mut rest = text.as_str();
        while let Some(middle) = rest.find("](") {
            let (before, behind) = (&rest[..middle], &rest[middle + 2..]);
            let label = before.rfind('[').map(|start| &before[start + 1..]);
            let target = behind.find(')').map(|end| &behind[..end]);
            if let (Some(label), Some(target)) = (label, target) {
                links.push(Link {
                    label: label.to_owned(),
                    target: target.to_owned(),
                });
            }
            rest = behind;
        }
        links
    }

    /// What stands between backticks in its text.
    #[must_use]
    pub fn inline_code(&self) -> Vec<String> {
        let parts = self.text.split('`').enumerate();
        let code = parts.filter(|(number, _)| number % 2 == 1);
        code.map(|(_, code)| code.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    /// Figures in its text, outside of code and of the targets of links.
    #[must_use]
    pub fn figures(&self) -> Vec<String> {
        let mut text = self.text.clone();
        for link in self.links() {
            text = text.replacen(&format!("]({})", link.target), "]", 1);
        }
        let parts = text.split('`').enumerate();
        let prose: Vec<_> = parts.filter(|(number, _)| number % 2 == 0).collect();
        let prose = prose
            .iter()
            .map(|(_, text)| *text)
            .collect::<Vec<_>>()
            .join(" ");
        let is_part = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
        let figures = prose.split(|c| !is_part(c));
        let figures = figures.map(|figure| figure.trim_matches(['.', ',']).to_owned());
        figures.filter(|figure| !figure.is_empty()).collect()
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    let words = words.strip_prefix(' ')?;
    (level > 0).then_some((level, words))
}

/// As GitHub makes them: lower case, words joined by hyphens, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.collect::<String>().to_lowercase()
}
