//! As much of Rust as it takes to see what a file imports.

use std::collections::BTreeSet;

/// The names directly below the root of the crate that the text of this module uses, by `crate::`, by enough
/// of `super::`, alone or in a group; `*` for all of them. Code under `#[cfg(test)]` does not count.
pub(super) fn names_of_root(text: &str, module: &[String]) -> BTreeSet<String> {
    let tokens = tokens(text);
    let mut names = BTreeSet::new();
    // The modules that are open, each with the depth of braces around it.
    let mut module: Vec<_> = module.iter().map(|name| (name.as_str(), 0)).collect();
    let (mut at, mut depth) = (0, 0);
    while at < tokens.len() {
        let path: Vec<_> = module.iter().map(|(name, _)| *name).collect();
        match tokens[at..] {
            ["#", "[", "cfg", "(", "test", ")", "]", ..] => {
                at = behind_item(&tokens, at + 7);
                continue;
            }
            ["mod", name, "{", ..] => module.push((name, depth + 1)),
            ["crate", "::", ..] => path_from(&tokens[at + 2..], &[], &mut names),
            ["super", "::", ..] => path_from(&tokens[at..], &path, &mut names),
            _ => {}
        }
        match tokens[at] {
            "{" => depth += 1,
            "}" => {
                module.retain(|(_, opened)| *opened != depth || depth == 0);
                depth -= usize::from(depth > 0);
            }
            _ => {}
        }
        at += 1;
    }
    names
}

/// Follows a path, or a group of them, that goes on from a module.
fn path_from(tokens: &[&str], module: &[&str], names: &mut BTreeSet<String>) {
    match tokens {
        ["self", "::", rest @ ..] => path_from(rest, module, names),
        ["super", "::", rest @ ..] => {
            path_from(rest, &module[..module.len().saturating_sub(1)], names);
        }
        ["{", rest @ ..] => {
            let (mut depth, mut is_first) = (0, true);
            for (at, token) in rest.iter().enumerate() {
                match *token {
                    "}" if depth == 0 => break,
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                if is_first {
                    path_from(&rest[at..], module, names);
                }
                is_first = *token == "," && depth == 0;
            }
        }
        // A macro is found at the root wherever it is defined.
        [_, "!", ..] | ["self", ..] | ["}", ..] => {}
        [name, ..] if module.is_empty() => drop(names.insert((*name).to_owned())),
        _ => {}
    }
}

/// Where the item ends that begins here, with the attributes in front of it.
fn behind_item(tokens: &[&str], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match *token {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && (*token == ";" || *token == "}") {
            return at + 1;
        }
    }
    tokens.len()
}

/// Words, `::` and single signs; neither comments nor what is between quotes.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = comment(rest).or_else(|| quoted(rest)) {
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        if !first.is_whitespace() {
            tokens.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    tokens
}

/// How long the comment is that begins here.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut depth = 0;
    let mut at = 0;
    while text.starts_with("/*") {
        let rest = text.get(at..)?;
        match (rest.starts_with("/*"), rest.starts_with("*/")) {
            (true, _) => (depth, at) = (depth + 1, at + 2),
            (_, true) if depth == 1 => return Some(at + 2),
            (_, true) => (depth, at) = (depth - 1, at + 2),
            _ => at += rest.chars().next()?.len_utf8(),
        }
    }
    None
}

/// How long the string or character is that begins here, with what may stand in front of the quotes.
fn quoted(text: &str) -> Option<usize> {
    let behind = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = text.len() - behind.len();
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    if prefix > 0 && text[..prefix].contains('r') && behind[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let start = prefix + hashes + 1;
        return Some(start + text[start..].find(&end)? + end.len());
    }
    let quote = behind.chars().next().filter(|c| ['"', '\''].contains(c))?;
    if quote == '\'' {
        let mut inside = behind.chars().skip(1);
        let is_lifetime = inside.next()? != '\\' && inside.next() != Some('\'');
        if is_lifetime {
            return (prefix == 0).then_some(1);
        }
    }
    let mut is_escaped = false;
    for (at, c) in behind.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return Some(prefix + at + 1),
            _ => {}
        }
    }
    None
}
