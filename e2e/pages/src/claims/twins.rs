use super::{Block, Page, Section};

/// In what a page and its translation differ, where they have to be equal: the levels of the headings
/// and, in each section, links, code and figures, in whatever order the sentence of a language wants them.
#[must_use]
pub fn differences(page: &Page, translation: &Page) -> Vec<String> {
    let mut found = Vec::new();
    let levels = |page: &Page| -> Vec<_> {
        let levels = page.sections.iter().map(|section| section.level);
        levels.collect()
    };
    if levels(page) != levels(translation) {
        let (ours, theirs) = (levels(page), levels(translation));
        found.push(format!("the headings have levels {ours:?} and {theirs:?}"));
    }
    for (ours, theirs) in page.sections.iter().zip(&translation.sections) {
        for (what, ours_are, theirs_are) in [
            ("links", targets(page, ours), targets(translation, theirs)),
            ("inline code", ours.inline_code(), theirs.inline_code()),
            ("figures", ours.figures(), theirs.figures()),
            ("code", code(&ours.blocks), code(&theirs.blocks)),
        ] {
            let (missing, added) = (
                beyond(&ours_are, &theirs_are),
                beyond(&theirs_are, &ours_are),
            );
            if !missing.is_empty() || !added.is_empty() {
                found.push(format!(
                    "{what} below \"{}\": only there {missing:?}, only in the translation {added:?}",
                    ours.heading
                ));
            }
        }
    }
    found
}

/// What is in the first list and not, or not so often, in the second.
fn beyond<'a>(first: &'a [String], second: &[String]) -> Vec<&'a str> {
    let mut second: Vec<_> = second.iter().collect();
    let mut beyond = Vec::new();
    for one in first {
        match second.iter().position(|other| *other == one) {
            Some(at) => drop(second.swap_remove(at)),
            None => beyond.push(one.as_str()),
        }
    }
    beyond
}

/// Where the links lead. The name of a page's own file stands for the other language.
fn targets(page: &Page, section: &Section) -> Vec<String> {
    let own = page.path.file_name().unwrap_or_default().to_string_lossy();
    let targets = section.links().into_iter().map(|link| link.target);
    // Headings are translated, and so are the anchors made of them.
    let targets = targets.map(|target| match target.split_once('#') {
        Some((file, _)) => format!("{file}#"),
        None => target,
    });
    let is_language =
        |target: &String| target.starts_with("README") && target.ends_with(".md") && *target != own;
    targets
        .map(|target| {
            if is_language(&target) {
                "the other language".to_owned()
            } else {
                target
            }
        })
        .collect()
}

/// Code without what is said about it, which is translated.
fn code(blocks: &[Block]) -> Vec<String> {
    let code = blocks.iter().map(|block| {
        let lines = block.text.lines().map(|line| match block.info.as_str() {
            "sh" => line
                .split_once(" # ")
                .map_or(line, |(code, _)| code)
                .trim_end()
                .to_owned(),
            "mermaid" => without_labels(line),
            _ => line.to_owned(),
        });
        format!("{}: {}", block.info, lines.collect::<Vec<_>>().join("\n"))
    });
    code.collect()
}

/// A line of a picture without the words on its arrows.
fn without_labels(line: &str) -> String {
    let parts = line.split('|').enumerate();
    let kept = parts.filter(|(number, _)| number % 2 == 0);
    kept.map(|(_, part)| part).collect::<Vec<_>>().join("||")
}
