//! The rooms of `messaging`: its top-level modules import from those below them, and from nowhere else.
//!
//! Which module is below which is said by the table in `shared/messaging/README.md`, from top to bottom.
//! Modules in one row do not import each other. Inside the crate nothing is imported by the names that
//! `lib.rs` has for others, because those hide from which room they come.

mod code;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::claims::Page;

/// Where the table stands.
const SECTION: &str = "Where is what";
const HEADER: &str = "| room | what it promises |";

/// A file of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it is, from `src`.
    pub path: String,
    /// The module that it is, from the root of the crate.
    pub module: Vec<String>,
    /// What stands in it.
    pub text: String,
}

/// The rows of the table, each with its modules, from top to bottom.
///
/// # Errors
///
/// When there is no such table.
pub fn rows(page: &Page) -> Result<Vec<Vec<String>>> {
    let missing = || format!("{} has no `## {SECTION}`", page.path.display());
    let section = page.sections.iter().find(|one| one.heading == SECTION);
    let lines = section.with_context(missing)?.text.lines();
    let mut lines = lines.skip_while(|line| *line != HEADER).skip(1);
    let rule = lines.next();
    ensure!(rule.is_some(), "{SECTION} has no table `{HEADER}`");
    let rows = lines.take_while(|line| line.starts_with('|'));
    let rows = rows.map(|line| {
        let cell = line.split('|').nth(1).unwrap_or_default();
        let names = cell.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    });
    Ok(rows.collect())
}

/// The files of a crate at this path, without its tests.
///
/// # Errors
///
/// When one cannot be read.
pub fn read_sources(crate_folder: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    read_folder(&crate_folder.join("src"), &[], &mut sources)?;
    Ok(sources)
}

/// Every breach of the rule, as a sentence for people.
#[must_use]
pub fn breaches(rows: &[Vec<String>], sources: &[Source]) -> Vec<String> {
    let modules = sources.iter().filter_map(|source| source.module.first());
    let modules: BTreeSet<_> = modules.collect();
    let row = |name: &str| {
        rows.iter()
            .position(|row| row.iter().any(|one| one == name))
    };
    let mut found = Vec::new();
    for name in &modules {
        let times = rows.iter().flatten().filter(|one| one == name).count();
        if times != 1 {
            found.push(format!("the module {name} is {times} times in the table"));
        }
    }
    let named = rows.iter().flatten();
    let unknown = named.filter(|name| !modules.contains(name));
    found.extend(unknown.map(|name| format!("the table has {name}, which is no module")));

    for Source { path, module, text } in sources {
        let Some(own) = module.first() else { continue };
        for name in code::names_of_root(text, module) {
            if !modules.contains(&name) {
                found.push(format!(
                    "{path} imports {name} from lib.rs and not from its room"
                ));
            } else if name != *own && row(&name).is_some() && row(&name) <= row(own) {
                found.push(format!(
                    "{path} imports from {name}, which is not below {own}"
                ));
            }
        }
    }
    found
}

fn read_folder(folder: &Path, module: &[String], sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut module = module.to_vec();
        if !["lib", "mod"].contains(&&*name) {
            module.push(name.clone().into_owned());
        }
        if name == "tests" {
            continue;
        } else if path.is_dir() {
            read_folder(&path, &module, sources)?;
        } else {
            let shown = [&module[..], &[]].concat().join("/");
            sources.push(Source {
                path: format!("{shown}.rs"),
                module,
                text: fs::read_to_string(&path)?,
            });
        }
    }
    Ok(())
}
