//! What the READMEs and `docs/` say is so, as far as that can be seen without a running system. The
//! commands that they show are run by `it/claims.rs`, those of `docs/first-programs.md` by
//! `first_programs`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use pages::claims::{Page, Shown, broken_links, console, differences};

#[test]
fn every_link_and_every_command_is_there() -> Result<()> {
    let mut pages = Page::read_all(&root().join("docs"))?;
    for name in [
        "README.md",
        "README.zh-CN.md",
        "CONTRIBUTING.md",
        "deploy/README.md",
        "e2e/README.md",
    ] {
        pages.push(Page::read(&root().join(name))?);
    }
    for member in fs::read_dir(root().join("shared"))? {
        let page = member?.path().join("README.md");
        pages.extend(page.exists().then(|| Page::read(&page)).transpose()?);
    }
    let links = pages.iter().flat_map(|page| &page.sections);
    let links: usize = links.map(|section| section.links().len()).sum();
    ensure!(links > 200, "only {links} links were found");
    assert_eq!(broken_links(&root(), &pages)?, [""; 0]);
    Ok(())
}

#[test]
fn the_chinese_readme_says_the_same() -> Result<()> {
    let page = Page::read(&root().join("README.md"))?;
    let translation = Page::read(&root().join("README.zh-CN.md"))?;
    assert_eq!(differences(&page, &translation), [""; 0]);
    Ok(())
}

#[test]
fn what_leads_nowhere_is_found() -> Result<()> {
    for (text, why) in [
        ("[a](no-such-file.md)", "leads to no file"),
        ("[a](README.md#no-such-heading)", "leads to no heading"),
        ("# Here\n[a](#there)", "leads to no heading"),
        (
            "[`no_such_test`](e2e/pages/tests/architecture.rs)",
            "has no no_such_test",
        ),
        ("`./dev nonsense`", "`./dev nonsense` is no command"),
        (
            "```sh\n./dev nonsense # why\n```",
            "`./dev nonsense` is no command",
        ),
        (
            "`cargo run -p first-programs --example nonsense`",
            "there is no example nonsense",
        ),
    ] {
        let broken = broken_links(&root(), &[page(text)])?;
        ensure!(
            broken.len() == 1 && broken[0].ends_with(why),
            "{text}: {broken:?}"
        );
    }
    let sound = "# One: two!\n[a](#one-two) [b](README.md#start-it) [`what_leads_nowhere_is_found`](e2e/pages/tests/claims.rs)\
                 [c](https://example.com) `./dev tour N` `cargo run -p first-programs --example NAME`";
    assert_eq!(broken_links(&root(), &[page(sound)])?, [""; 0]);
    Ok(())
}

#[test]
fn a_translation_that_says_something_else_is_found() {
    let ours = "# A\nSee [it](README.md) with `ls` 1,000 times.\n```sh\nls # one\n```\n";
    for (theirs, what) in [
        (ours.replace("# A", "## A"), "the headings"),
        (ours.replace("(README.md)", "(dev)"), "links"),
        (ours.replace("`ls`", "`cd`"), "inline code"),
        (ours.replace("1,000", "1,001"), "figures"),
        (ours.replace("ls # one", "cd # one"), "code"),
    ] {
        let found = differences(&page(ours), &page(&theirs));
        assert!(
            found.len() == 1 && found[0].starts_with(what),
            "{what}: {found:?}"
        );
    }
    let faithful = "# 甲\n1,000 次 `ls`，见[它](README.md)。\n```sh\nls # 一\n```\n";
    assert_eq!(differences(&page(ours), &page(faithful)), [""; 0]);
}

#[test]
fn a_console_block_is_commands_with_what_they_print() {
    let text =
        "```console\n$ one 'two\n three' four\nshown\n  more\n\n$ five\n```\n```sh\n$ six\n```\n";
    let commands = console(&page(text));
    let lines: Vec<_> = commands
        .iter()
        .map(|command| command.line.as_str())
        .collect();
    assert_eq!(lines, ["one 'two\n three' four", "five"]);
    assert_eq!(commands[0].shown.text, "shown\n  more\n\n");
}

#[test]
fn ids_times_and_figures_differ_from_run_to_run_and_nothing_else() {
    let shown = |text: &str| Shown {
        text: text.to_owned(),
    };
    let (first, second) = (
        "01a20577-e3f0-72c9-b89b-faf4db05ad0c",
        "01a20577-0000-72c9-b89b-faf4db05ad0c",
    );
    let page = shown(&format!(
        "{{\"id\":\"{first}\", ...\n \"at\":\"2026-11-22T22:54:32.9Z\"}}"
    ));
    let printed =
        format!("{{\"id\":\"{second}\",\"x\":{{}},\"at\":\"2027-01-02T02:04:02.123Z\"}}\n");
    let ids = page.ids_in(&printed);
    assert_eq!(ids, Some(vec![(first.to_owned(), second.to_owned())]));

    for (text, printed) in [
        ("done", "not done"),
        ("done", "done, almost"),
        ("a ... c", "a b"),
        ("a ... c", "a c d"),
        ("...c", "a b"),
        ("a ... b ... c", "a c b"),
        ("status 200", "state 200"),
        ("a...ab", "ab"),
    ] {
        assert_eq!(shown(text).ids_in(printed), None, "{text} is not {printed}");
    }
    for (text, printed) in [
        ("a ... c", "a b c c"),
        ("...", ""),
        ("in 40ms", "in 7 ms\n"),
    ] {
        assert_eq!(
            shown(text).ids_in(printed),
            Some(vec![]),
            "{text} is {printed}"
        );
    }
}

fn page(text: &str) -> Page {
    Page::parse(&root().join("page.md"), text)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
