//! Counting checks, timing steps, and the table at the end.

use std::fmt;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How many checks passed, failed, or were left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// A step that is one check, and passed.
    pub(crate) const ONE: Counts = Counts { passed: 1, failed: 0, skipped: 0 };

    /// Adds what the closing line of a libtest run says:
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; …`
    pub(crate) fn add_libtest(&mut self, line: &str) {
        if let Some(rest) = line.trim_start().strip_prefix("test result:") {
            self.add_numbers(rest.split([';', '.']));
        }
    }

    /// Adds what the closing line of a vitest run says: `Tests  1 failed | 21 passed | 2 skipped (24)`
    pub(crate) fn add_vitest(&mut self, line: &str) {
        if let Some(rest) = line.trim_start().strip_prefix("Tests ") {
            self.add_numbers(rest.split(['|', '(']));
        }
    }

    /// Adds parts such as `5 passed`; others say nothing of tests.
    fn add_numbers<'a>(&mut self, parts: impl Iterator<Item = &'a str>) {
        for part in parts {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next().and_then(|n| n.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" | "skipped" | "todo" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// Adds a check of an interop driver: `PASS name`, `FAIL name: why`, `SKIP name: why`.
    pub(crate) fn add_verdict(&mut self, line: &str) {
        match line.split_once(' ').map(|(word, _)| word) {
            Some("PASS") => self.passed += 1,
            Some("FAIL") => self.failed += 1,
            Some("SKIP") => self.skipped += 1,
            _ => {}
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What became of a step.
pub(crate) enum Outcome {
    /// It ran, and this is what it counted.
    Ran(Counts),
    /// It could not run here, and why.
    Skipped(String),
}

/// A named step of a longer run.
pub(crate) struct Step {
    /// One word for the table.
    pub(crate) name: &'static str,
    /// What it does, for the heading.
    pub(crate) about: &'static str,
    /// The step itself. An error is a failure.
    pub(crate) run: fn() -> Result<Outcome>,
}

/// Runs steps in their order until one fails, then prints the table and the closing line.
///
/// # Errors
/// Names the step that failed.
pub(crate) fn run_steps(steps: &[Step]) -> Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", at + 1, steps.len(), step.name, step.about);
        let started = Instant::now();
        let (counts, result) = match (step.run)() {
            Ok(Outcome::Ran(counts)) if counts.failed == 0 => (counts, "ok".to_string()),
            Ok(Outcome::Ran(counts)) => (counts, "FAILED".to_string()),
            Ok(Outcome::Skipped(why)) => {
                (Counts { skipped: 1, ..Counts::default() }, format!("skipped: {why}"))
            }
            Err(error) => (Counts { failed: 1, ..Counts::default() }, format!("FAILED: {error:#}")),
        };
        println!("--- {}: {result}", step.name);
        rows.push(Row { name: step.name, counts, took: started.elapsed(), result });
        if counts.failed > 0 {
            break;
        }
    }
    close(steps, &rows)
}

struct Row {
    name: &'static str,
    counts: Counts,
    took: Duration,
    result: String,
}

fn close(steps: &[Step], rows: &[Row]) -> Result<()> {
    println!("\n{:10} {:>7} {:>7} {:>7} {:>9}  result", "step", "passed", "failed", "skipped", "time");
    let mut all = Counts::default();
    let mut took = Duration::ZERO;
    for Row { name, counts, took: each, result } in rows {
        let Counts { passed, failed, skipped } = counts;
        println!("{name:10} {passed:7} {failed:7} {skipped:7} {:>9}  {result}", seconds(*each));
        all += *counts;
        took += *each;
    }
    for step in &steps[rows.len()..] {
        println!("{:10} {:>7} {:>7} {:>7} {:>9}  not run", step.name, "-", "-", "-", "-");
    }
    println!("\nin {}", seconds(took));
    let failed = rows.last().filter(|row| row.counts.failed > 0);
    if let Some(row) = failed {
        println!("failed in step: {}", row.name);
    }
    println!("{all}");
    match failed {
        Some(row) => bail!("step {} failed", row.name),
        None => Ok(()),
    }
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 { format!("{seconds:.1} s") } else { format!("{:.1} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn counts_what_libtest_says() {
        let mut counts = Counts::default();
        counts.add_libtest(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s",
        );
        counts.add_libtest("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        counts.add_libtest("test says_result: ok. 9 passed");
        assert_eq!(counts.to_string(), "8 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn counts_what_vitest_says() {
        let mut counts = Counts::default();
        counts.add_vitest("      Tests  1 failed | 21 passed | 2 skipped (24)");
        counts.add_vitest(" Test Files  3 passed (3)");
        counts.add_vitest("      Tests  5 passed (5)");
        assert_eq!(counts.to_string(), "26 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn counts_verdicts_of_drivers() {
        let mut counts = Counts::default();
        for line in ["PASS dino sign-in", "FAIL gajim chat: no answer", "SKIP finch: not installed", "PASSED"]
        {
            counts.add_verdict(line);
        }
        assert_eq!(counts.to_string(), "1 passed, 1 failed, 1 skipped");
    }
}
