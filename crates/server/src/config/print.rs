//! The configuration as a commented file, and as a page of the manual.

use std::fmt::Write;

use super::{SECTIONS, Section, Setting};

/// Columns of the example file.
const WIDTH: usize = 100;

/// Settings of one section, with their keys in it.
fn of(section: &Section) -> impl Iterator<Item = (&'static Setting, &'static str)> {
    let key = |setting: &Setting| setting.key.rsplit_once('.').map_or(setting.key, |(_, key)| key);
    section.settings.iter().map(move |setting| (setting, key(setting)))
}

/// The example file: everything at its default, commented out.
pub fn example() -> String {
    let mut out = String::from("# Rookery's configuration. What is commented out is at its default.\n");
    for section in SECTIONS {
        out.push('\n');
        if !section.name.is_empty() {
            comment(&mut out, section.about);
            let _ = writeln!(out, "[{}]\n", section.name);
        }
        for (at, (setting, key)) in of(section).enumerate() {
            if at > 0 {
                out.push('\n');
            }
            comment(&mut out, setting.about);
            let _ = writeln!(out, "#{key} = {}", setting.default);
        }
    }
    out
}

/// The text as comments of at most [`WIDTH`] columns.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}

/// `docs/configuration.md`
pub fn reference() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         <!-- Printed by `rookery config --reference`; do not edit. -->\n\n\
         Rookery runs without a configuration. What you want otherwise you write into a TOML file and name it with\n\
         `--config`, or call it `rookery.toml` in the folder where you start the server. `rookery config` prints a file\n\
         with all settings at their defaults to begin with. A setting that there is not, or a value that cannot be, is\n\
         an error that names the line.\n",
    );
    for section in SECTIONS {
        let title =
            if section.name.is_empty() { "At the top".to_owned() } else { format!("`[{}]`", section.name) };
        let _ = write!(out, "\n## {title}\n\n{}\n", section.about);
        for (setting, key) in of(section) {
            let _ = write!(out, "\n**`{key}`** (default `{}`)\n\n{}\n", setting.default, setting.about);
        }
    }
    out
}
