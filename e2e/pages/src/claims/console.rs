use super::Page;

/// A command with what it prints, from a block marked `console`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Everything behind `$ `, also on further lines if a quotation goes on there.
    pub line: String,
    /// The lines below it.
    pub shown: Shown,
}

/// Output as a page shows it. `...` stands for anything; ids, times and figures differ from run to run,
/// and white space does not count, so that a page may break long lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// As it is on the page.
    pub text: String,
}

/// What an id becomes for a comparison.
const ID: char = '\u{1}';
/// What a figure becomes.
const FIGURE: char = '\u{2}';
/// Hexadecimal digits between the hyphens of an id.
const ID_PARTS: [usize; 5] = [8, 4, 4, 4, 12];

/// The commands of a page in their order.
#[must_use]
pub fn console(page: &Page) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let blocks = page.sections.iter().flat_map(|section| &section.blocks);
    for block in blocks.filter(|block| block.info == "console") {
        for line in block.text.lines() {
            let goes_on = commands
                .last()
                .is_some_and(|last| last.line.matches('\'').count() % 2 == 1);
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (_, Some(last)) if goes_on => {
                    last.line.push('\n');
                    last.line.push_str(line);
                }
                (Some(line), _) => commands.push(Command {
                    line: line.to_owned(),
                    shown: Shown::default(),
                }),
                (None, Some(last)) => {
                    last.shown.text.push_str(line);
                    last.shown.text.push('\n');
                }
                (None, None) => {}
            }
        }
    }
    commands
}

impl Shown {
    /// Whether this was printed; if so, which id is meant by each id that is shown.
    #[must_use]
    pub fn ids_in(&self, printed: &str) -> Option<Vec<(String, String)>> {
        let (printed, printed_ids) = masked(printed);
        let mut ids = Vec::new();
        let mut at = 0;
        let parts: Vec<_> = self.text.split("...").map(masked).collect();
        let last = parts.len().checked_sub(1)?;
        for (number, (part, shown_ids)) in parts.iter().enumerate() {
            let rest = &printed[at..];
            let start = match number {
                0 if !rest.starts_with(part.as_str()) => return None,
                0 => 0,
                // The end of the output is meant by the last part, wherever else it is found.
                _ if number == last => rest.len().checked_sub(part.len())?,
                _ => rest.find(part.as_str())?,
            };
            if !rest.get(start..)?.starts_with(part.as_str()) {
                return None;
            }
            let before = printed[..at + start].matches(ID).count();
            let found = printed_ids.iter().skip(before);
            ids.extend(shown_ids.iter().cloned().zip(found.cloned()));
            at += start + part.len();
        }
        (at == printed.len()).then_some(ids)
    }
}

/// A text without white space, with ids and figures masked, and the ids in it.
fn masked(text: &str) -> (String, Vec<String>) {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (mut masked, mut ids) = (String::new(), Vec::new());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        if let Some(id) = id_at_start(rest) {
            masked.push(ID);
            ids.push(id.to_owned());
            rest = &rest[id.len()..];
        } else if first.is_ascii_digit() {
            masked.push(FIGURE);
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        } else {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    (masked, ids)
}

fn id_at_start(text: &str) -> Option<&str> {
    let id = text.get(..36)?;
    let is_part = |(part, length): (&str, usize)| {
        part.len() == length && part.chars().all(|c| c.is_ascii_hexdigit())
    };
    (id.split('-').count() == ID_PARTS.len() && id.split('-').zip(ID_PARTS).all(is_part))
        .then_some(id)
}
