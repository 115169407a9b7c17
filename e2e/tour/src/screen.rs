use std::env;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::sync::Mutex;
use std::thread;

use anyhow::{Result, bail};
use tokio::sync::oneshot;

use super::Step;

/// Most blocks of a bar.
const BAR: u32 = 40;

/// What the visitor sees: plain text, with colour and bars that move where it is a terminal.
pub struct Screen {
    is_terminal: bool,
    is_coloured: bool,
    is_unattended: bool,
    /// A bar that the next line is drawn over.
    moving: Mutex<bool>,
}

#[derive(Clone, Copy)]
enum Colour {
    Bold,
    Dim,
    Red,
    Green,
    Blue,
}

impl Screen {
    /// On standard output. An unattended one asks nobody to press Enter.
    #[must_use]
    pub fn new(is_unattended: bool) -> Self {
        let is_terminal = stdout().is_terminal();
        Self {
            is_terminal,
            // See no-color.org.
            is_coloured: is_terminal && env::var_os("NO_COLOR").is_none(),
            is_unattended,
            moving: Mutex::new(false),
        }
    }

    /// Says what a step is about and waits for Enter.
    ///
    /// # Errors
    ///
    /// When the input ends, which means that nobody is there.
    pub async fn open(&self, step: &Step, addresses: &[(&str, &str)]) -> Result<()> {
        let title = format!("{:>2}  {}", step.number, step.title);
        self.line(&format!("\n{}", self.paint(Colour::Bold, &title)));
        self.line(&format!("    {}", step.idea));
        let mut look = step.look.to_owned();
        for (name, address) in addresses {
            look = look.replace(name, address);
        }
        self.line(&self.paint(Colour::Dim, &format!("    Look at: {look}")));
        if self.is_unattended {
            return Ok(());
        }
        self.put(&self.paint(Colour::Dim, "    Enter goes on, Ctrl-C ends the tour. "));
        if !entered().await {
            bail!("nobody pressed Enter; `--yes` goes on without");
        }
        Ok(())
    }

    /// What is done now, as one would do it by hand.
    pub(super) fn act(&self, what: &str) {
        self.line(&format!("    {} {what}", self.paint(Colour::Blue, "->")));
    }

    /// What was seen.
    pub(super) fn fact(&self, what: &str) {
        self.line(&format!("       {what}"));
    }

    /// A figure as a bar. Bars of the same label that follow each other are drawn over each other on a
    /// terminal.
    pub(super) fn bar(&self, label: &str, value: u32, full: u32) {
        let blocks = (u64::from(value) * u64::from(BAR)).div_ceil(u64::from(full.max(1)));
        let blocks = usize::try_from(blocks.min(u64::from(BAR))).unwrap_or_default();
        let bar = self.paint(Colour::Blue, &"█".repeat(blocks));
        let line = format!("       {label} {bar} {value}");
        if self.is_terminal {
            self.put(&format!("\r\x1b[K{line}"));
            self.set_moving(true);
        } else {
            self.line(&line);
        }
    }

    /// The last bar stays; the next one is another.
    pub(super) fn keep_bar(&self) {
        if self.set_moving(false) {
            self.put("\n");
        }
    }

    /// How a step ended.
    pub fn close(&self, step: &Step, outcome: &str) {
        let mark = self.paint(Colour::Green, &format!("ok {:>2}", step.number));
        self.line(&format!(" {mark}  {outcome}"));
    }

    /// That everything is as it was.
    pub fn put_back(&self, how: &str) {
        self.line(&self.paint(Colour::Dim, &format!("        As before: {how}.")));
    }

    /// What went wrong.
    pub fn fail(&self, what: &str) {
        self.line(&self.paint(Colour::Red, &format!(" FAIL {what}")));
    }

    fn line(&self, text: &str) {
        self.keep_bar();
        self.put(&format!("{text}\n"));
    }

    fn put(&self, text: &str) {
        let mut out = stdout().lock();
        // Whoever closed the output does not want to read on; the system has to be put back all the same.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn set_moving(&self, moving: bool) -> bool {
        let mut now = self
            .moving
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::replace(&mut now, moving)
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Bold => 1,
            Colour::Dim => 2,
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Blue => 34,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Whether a line came. A thread of its own reads it, because nothing can stop a thread that waits for
/// a key, and the process has to be able to end.
async fn entered() -> bool {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let read = stdin().read_line(&mut String::new());
        sender.send(matches!(read, Ok(1..))).ok();
    });
    receiver.await.unwrap_or(false)
}
