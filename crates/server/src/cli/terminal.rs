//! Writing to the terminal: tables, moments, numbers and codes for people.

use std::io::{self, IsTerminal, Write};

use rookery_core::env::stamp;
use rookery_store::Timestamp;

/// Writes to standard output.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Asks a question on standard error, and reads the line that answers it; nothing if nobody is there.
pub(super) fn ask(question: &str) -> io::Result<Option<String>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    eprint!("{question} ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(Some(answer.trim().to_owned()))
}

/// `2026-11-22 21:08`, in UTC.
pub(super) fn moment(millis: i64) -> String {
    let text = stamp(Timestamp(millis));
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// `100,000`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 account`, `100,000 accounts`
pub(super) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A text of somebody else's as it may be shown: it cannot move the cursor or ring the bell. Lines stay.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// `[######..............] 30%`
pub(super) fn bar(done: u64, total: u64) -> String {
    const WIDTH: usize = 20;
    let share = if total == 0 { 0.0 } else { done.min(total) as f64 / total as f64 };
    let full = (share * WIDTH as f64) as usize;
    format!("[{}{}] {:3.0}%", "#".repeat(full), ".".repeat(WIDTH - full), share * 100.0)
}

/// Rows under their heads, each column as wide as it must be.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heads.map(|head| head.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in std::iter::once(&heads.map(str::to_owned)).chain(rows) {
        let cells =
            row.iter().zip(widths).map(|(cell, width)| format!("{:width$}", plain(cell).replace('\n', " ")));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// A text as a code that phones read from the screen: two rows of it are one line. Nothing if it is too long for one.
pub(super) fn qr(text: &str) -> String {
    use qrcode::render::unicode::Dense1x2;
    let code = qrcode::QrCode::new(text);
    // Terminals are mostly dark: what they print is the light part.
    code.map(|code| {
        let mut image = code.render::<Dense1x2>();
        image.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build() + "\n"
    })
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(
            (counted(1, "line"), counted(2_000, "line")),
            ("1 line".to_owned(), "2,000 lines".to_owned())
        );
    }

    #[test]
    fn bars_fill() {
        assert_eq!(bar(0, 0), "[....................]   0%");
        assert_eq!(bar(3, 10), "[######..............]  30%");
        assert_eq!(bar(11, 10), "[####################] 100%");
    }

    #[test]
    fn tables_are_aligned_and_cannot_be_broken() {
        let rows = [["1".to_owned(), "a\x1b[2Jb".to_owned()], ["10001".to_owned(), "ä".to_owned()]];
        assert_eq!(table(["NUMBER", "NICK"], &rows), "NUMBER  NICK\n1       a [2Jb\n10001   ä\n");
    }

    #[test]
    fn moments_are_short() {
        assert_eq!(moment(1_767_225_660_123), "2026-01-01 00:01");
    }
}
