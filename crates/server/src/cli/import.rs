//! `rookery account import`

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::account::unexpected;
use super::progress::Progress;
use super::terminal::{counted, grouped, print, table};
use crate::control::{Control, Failure, IMPORT_PART, ImportLine, Request, Response};

/// Rounds of hashing where they are not to protect anything.
const INSECURE_ITERATIONS: u32 = 16;

/// Failures that are listed; a file that is wrong throughout is not to scroll away what is said of it.
const FAILURES_SHOWN: usize = 100;

/// Imports the file, and shows what became of it. Fails if any line did.
pub(super) async fn run(control: &mut Control, path: &Path, insecure: bool) -> Result<ExitCode> {
    let (lines, mut failures) = read(path)?;
    let total = (lines.len() + failures.len()) as u64;
    if insecure {
        eprintln!("The passwords are hashed so weakly that they protect nothing: for load tests only.");
    }
    let mut progress = Progress::new("line");
    let (mut made, mut done) = (0, failures.len() as u64);
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        let part: Vec<_> = lines.by_ref().take(IMPORT_PART).collect();
        done += part.len() as u64;
        let iterations = insecure.then_some(INSECURE_ITERATIONS);
        let response = control.ask(Request::Import { lines: part, iterations }).await;
        let Response::Imported { made: more, failures: failed } =
            response.with_context(|| format!("After {} the import stopped", counted(made, "account")))?
        else {
            return unexpected();
        };
        made += more;
        failures.extend(failed);
        progress.show(done, total);
    }
    failures.sort_by_key(|failure| failure.line);
    print(&report(made, &failures))?;
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(made: u64, failures: &[Failure]) -> String {
    let mut out = format!("{} made.\n", counted(made, "account"));
    if failures.is_empty() {
        return out;
    }
    out.push_str(&format!("\n{} failed:\n\n", counted(failures.len() as u64, "line")));
    let cells: Vec<_> = failures
        .iter()
        .take(FAILURES_SHOWN)
        .map(|failure| [failure.line.to_string(), failure.address.clone(), failure.why.clone()])
        .collect();
    out.push_str(&table(["LINE", "ADDRESS", "WHY"], &cells));
    let more = failures.len().saturating_sub(FAILURES_SHOWN);
    if more > 0 {
        out.push_str(&format!("... and {} more.\n", grouped(more as u64)));
    }
    out
}

/// The file's lines, and those that are none.
fn read(path: &Path) -> Result<(Vec<ImportLine>, Vec<Failure>)> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).with_context(|| format!("{} cannot be read", path.display()))?)
    };
    parse(input).with_context(|| format!("{} cannot be read", path.display()))
}

fn parse(mut input: impl Read) -> Result<(Vec<ImportLine>, Vec<Failure>)> {
    let mut text = Vec::new();
    input.read_to_end(&mut text)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_slice());
    let (mut lines, mut failures) = (Vec::new(), Vec::new());
    for (at, record) in reader.byte_records().enumerate() {
        let record = record?;
        let line = record.position().map_or(0, |position| line_of(&text, position));
        let address = String::from_utf8_lossy(record.get(0).unwrap_or_default()).trim().to_owned();
        if at == 0 && address.trim_start_matches('\u{feff}').eq_ignore_ascii_case("address") {
            continue;
        }
        match fields(&record) {
            Ok((password, nick)) => lines.push(ImportLine { line, address, password, nick }),
            Err(why) => failures.push(Failure { line, address, why: why.to_owned() }),
        }
    }
    if lines.is_empty() && failures.is_empty() {
        bail!("it has no lines");
    }
    Ok((lines, failures))
}

/// The line where a record begins: its position is before the empty lines that were skipped.
fn line_of(text: &[u8], position: &csv::Position) -> u64 {
    let rest = text.get(position.byte() as usize..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

/// The password as it is, and the nickname.
fn fields(record: &csv::ByteRecord) -> Result<(String, Option<String>), &'static str> {
    if !(2..=3).contains(&record.len()) {
        return Err("A line has an address, a password and perhaps a nickname, with commas between.");
    }
    let text = |at: usize| {
        record.get(at).map(|field| std::str::from_utf8(field).map_err(|_| "It is not in UTF-8.")).transpose()
    };
    text(0)?;
    let nick = text(2)?.map(str::trim).filter(|nick| !nick.is_empty());
    Ok((text(1)?.unwrap_or_default().to_owned(), nick.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_their_numbers() {
        let text = "Address,Password\nalice, secret \n\n\"bob\",\"a,\"\"b\"\"\",Bob the Builder\n,x\n";
        let (lines, failures) = parse(text.as_bytes()).unwrap();
        let lines: Vec<_> = lines
            .iter()
            .map(|line| (line.line, line.address.as_str(), line.password.as_str(), line.nick.as_deref()))
            .collect();
        let expected = [
            (2, "alice", " secret ", None),
            (4, "bob", "a,\"b\"", Some("Bob the Builder")),
            (5, "", "x", None),
        ];
        assert_eq!(lines, expected);
        assert!(failures.is_empty());
    }

    #[test]
    fn lines_that_are_none_are_told() {
        let (lines, failures) = parse(b"alice,secret\nbob\ncarol,a,b,c\ndave,\xff\n".as_slice()).unwrap();
        assert_eq!(lines.len(), 1);
        let failures: Vec<_> =
            failures.iter().map(|failure| (failure.line, failure.address.as_str())).collect();
        assert_eq!(failures, [(2, "bob"), (3, "carol"), (4, "dave")]);
        assert_eq!(parse(b"".as_slice()).err().unwrap().to_string(), "it has no lines");
    }

    #[test]
    fn the_report_is_a_table_that_ends() {
        assert_eq!(report(100_000, &[]), "100,000 accounts made.\n");
        let failure = Failure { line: 7, address: "admin".to_owned(), why: "The name is taken.".to_owned() };
        let text = report(1, std::slice::from_ref(&failure));
        assert_eq!(
            text,
            "1 account made.\n\n1 line failed:\n\nLINE  ADDRESS  WHY\n7     admin    The name is taken.\n"
        );
        assert!(report(0, &vec![failure; 250]).ends_with("... and 150 more.\n"));
    }
}
