//! What was measured, as a table with medians and ratios, for the terminal and for the page.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};

use super::compare::{line_of, page};
use super::servers::Kind;
use crate::shell;

/// One figure of one run.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

/// All runs of all servers.
pub(crate) struct Figures {
    kinds: Vec<Kind>,
    rows: Vec<Row>,
}

struct Row {
    scenario: &'static str,
    name: &'static str,
    unit: &'static str,
    /// For each server, in the order of [`Figures::kinds`].
    values: Vec<Vec<f64>>,
}

/// What the comparison on the page stands between.
const BEGIN: &str = "<!-- comparison: written by cargo xtask bench compare -->\n";
const END: &str = "<!-- end of the comparison -->\n";

impl Figures {
    pub(crate) fn new(kinds: &[Kind]) -> Figures {
        Figures { kinds: kinds.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, scenario: &'static str, kind: Kind, measured: Vec<Measured>) {
        let Some(column) = self.kinds.iter().position(|other| *other == kind) else { return };
        for Measured { name, unit, value } in measured {
            let known = self.rows.iter().position(|row| row.scenario == scenario && row.name == name);
            let at = known.unwrap_or_else(|| {
                self.rows.push(Row { scenario, name, unit, values: vec![Vec::new(); self.kinds.len()] });
                self.rows.len() - 1
            });
            self.rows[at].values[column].push(value);
        }
    }

    /// The rows of one scenario or of all, in Markdown.
    pub(crate) fn table(&self, only: Option<&str>) -> String {
        let names: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        let mut text = format!("| scenario | for one | {} | best other ÷ Rookery |\n", names.join(" | "));
        text.push_str(&format!("| --- | --- |{}\n", " --- |".repeat(names.len() + 1)));
        for row in self.rows.iter().filter(|row| only.is_none_or(|only| row.scenario == only)) {
            let cells: Vec<_> = row.values.iter().map(|values| cell(values)).collect();
            let ratio = self.ratio(row).map_or_else(String::new, |ratio| format!("{ratio:.1}×"));
            let Row { scenario, name, unit, .. } = row;
            text.push_str(&format!("| {scenario} | {name}, {unit} | {} | {ratio} |\n", cells.join(" | ")));
        }
        text
    }

    /// How many times the best other server needs what Rookery does.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let of = |wanted: Kind| {
            self.kinds.iter().position(|kind| *kind == wanted).and_then(|at| median(&row.values[at]))
        };
        let best = [of(Kind::Prosody), of(Kind::Ejabberd)].into_iter().flatten().min_by(f64::total_cmp)?;
        of(Kind::Rookery).filter(|ours| *ours > 0.0).map(|ours| best / ours)
    }

    /// Puts the table into the page, in place of the one before.
    pub(crate) fn write_page(&self) -> Result<()> {
        let text = fs::read_to_string(page())?;
        let (before, rest) = text.split_once(BEGIN).context("the page has no place for the comparison")?;
        let (_, after) = rest.split_once(END).context("the comparison on the page has no end")?;
        fs::write(page(), format!("{before}{BEGIN}\n{self}\n{END}{after}")).context("writing the page")
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = |program: &str, arguments: &[&str]| {
            let output = shell::command(program).args(arguments).output();
            output.map_or_else(
                |_| "unknown".into(),
                |out| String::from_utf8_lossy(&out.stdout).trim().to_owned(),
            )
        };
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let versions: Vec<_> =
            self.kinds.iter().map(|kind| format!("{} {}", kind.name(), kind.version())).collect();
        writeln!(
            f,
            "{}, commit {}; {cores} cores of {}, Linux {}, {}; load average at the end {}. {}.\n",
            output("date", &["-u", "+%-d %B %Y"]),
            output("git", &["rev-parse", "--short", "HEAD"]),
            line_of("/proc/cpuinfo", "model name"),
            output("uname", &["-r"]),
            output("rustc", &["--version"]),
            line_of("/proc/loadavg", ""),
            versions.join(", "),
        )?;
        f.write_str(&self.table(None))
    }
}

fn cell(values: &[f64]) -> String {
    let Some(middle) = median(values) else { return "-".to_owned() };
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    match values.len() {
        1 => number(middle),
        _ => format!("{} ({} to {})", number(middle), number(least), number(most)),
    }
}

/// Three digits are more than the machine gives.
fn number(value: f64) -> String {
    match value {
        0.0..1.0 => format!("{value:.2}"),
        1.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ratios() {
        let mut figures = Figures::new(&[Kind::Prosody, Kind::Ejabberd, Kind::Rookery]);
        for (kind, value) in
            [(Kind::Prosody, 150.0), (Kind::Ejabberd, 65.0), (Kind::Rookery, 10.0), (Kind::Rookery, 16.0)]
        {
            figures.add("chat", kind, vec![Measured { name: "delivery", unit: "µs", value }]);
        }
        let table = figures.table(None);
        assert!(
            table.contains("| chat | delivery, µs | 150 | 65.0 | 13.0 (10.0 to 16.0) | 5.0× |"),
            "{table}"
        );
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
