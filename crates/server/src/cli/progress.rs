//! How far something long has come, on standard error.

use std::io::{self, IsTerminal};

use super::terminal::{counted, grouped};

/// Characters of the bar.
const WIDTH: u64 = 30;

/// Without a terminal a line is written each time so many are done.
const REPORT_EVERY: u64 = 10_000;

/// A bar on a terminal, and a line now and then elsewhere.
pub(super) struct Progress {
    what: &'static str,
    shown: u64,
    terminal: bool,
}

impl Progress {
    /// Nothing is done yet of what is called `what`, in the singular.
    pub(super) fn new(what: &'static str) -> Progress {
        Progress { what, shown: 0, terminal: io::stderr().is_terminal() }
    }

    /// Shows it. When all is done nothing stays on the terminal.
    pub(super) fn show(&mut self, done: u64, total: u64) {
        let text = line(done, total, self.what);
        if self.terminal {
            // Over the line before, and away with it at the end.
            eprint!("\r{text} ");
            if done >= total {
                eprint!("\r{:width$}\r", "", width = text.chars().count() + 1);
            }
        } else if done / REPORT_EVERY > self.shown / REPORT_EVERY && done < total {
            eprintln!("{} of {}", grouped(done), counted(total, self.what));
        }
        self.shown = done;
    }
}

fn line(done: u64, total: u64, what: &str) -> String {
    let full = (done.min(total) * WIDTH).checked_div(total).unwrap_or(WIDTH) as usize;
    let bar = "#".repeat(full) + &"-".repeat(WIDTH as usize - full);
    format!("[{bar}] {} of {}", grouped(done), counted(total, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        assert_eq!(line(0, 2_000, "message"), format!("[{}] 0 of 2,000 messages", "-".repeat(30)));
        assert_eq!(
            line(1_000, 2_000, "message"),
            format!("[{}{}] 1,000 of 2,000 messages", "#".repeat(15), "-".repeat(15))
        );
        assert_eq!(line(0, 0, "line"), format!("[{}] 0 of 0 lines", "#".repeat(30)));
        assert_eq!(line(3, 1, "line"), format!("[{}] 3 of 1 line", "#".repeat(30)));
    }
}
