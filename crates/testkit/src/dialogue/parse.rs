//! From a dialogue's text to its cases: sentences with their blocks, and one case for each row of a table.

use std::path::Path;

use anyhow::{Context, Result, bail};
use minidom::Element;

use super::{Action, Case, Deed, Step, sentence};
use crate::ns;

/// A sentence and the indented lines below it.
struct Paragraph {
    line: usize,
    sentence: String,
    block: Vec<String>,
}

/// The cases of one file.
pub(super) fn cases(name: &str, path: &Path, text: &str) -> Result<Vec<Case>> {
    let mut paragraphs = paragraphs(text);
    let table = paragraphs.iter().position(|paragraph| paragraph.sentence == "table");
    let Some(table) = table else {
        let steps = steps(&paragraphs, path, &[])?;
        return Ok(vec![Case { name: name.to_owned(), path: path.to_owned(), steps }]);
    };
    let table = paragraphs.remove(table);
    let mut rows = table.block.iter().map(|row| cells(row));
    let columns =
        rows.next().with_context(|| format!("{}:{}: an empty table", path.display(), table.line))?;
    let mut cases = Vec::new();
    for (index, row) in rows.enumerate() {
        if row.len() != columns.len() {
            bail!(
                "{}:{}: {} cells for {} columns",
                path.display(),
                table.line + index + 2,
                row.len(),
                columns.len()
            );
        }
        let named: Vec<(&str, &str)> =
            columns.iter().zip(&row).map(|(c, r)| (c.as_str(), r.as_str())).collect();
        let steps = steps(&paragraphs, path, &named)?;
        cases.push(Case { name: format!("{name}: {}", row.join(", ")), path: path.to_owned(), steps });
    }
    Ok(cases)
}

fn cells(row: &str) -> Vec<String> {
    row.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn paragraphs(text: &str) -> Vec<Paragraph> {
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) && !paragraphs.is_empty() {
            paragraphs.last_mut().expect("it is not empty").block.push(line.trim().to_owned());
            continue;
        }
        let sentence = line.split_once(" #").map_or(line, |(sentence, _)| sentence).trim().to_owned();
        paragraphs.push(Paragraph { line: index + 1, sentence, block: Vec::new() });
    }
    paragraphs
}

fn steps(paragraphs: &[Paragraph], path: &Path, row: &[(&str, &str)]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for paragraph in paragraphs {
        let sentence = with_row(&paragraph.sentence, row);
        if sentence.is_empty() {
            continue;
        }
        let block = (!paragraph.block.is_empty()).then(|| with_row(&paragraph.block.join("\n"), row));
        let place = || format!("{}:{}: {sentence}", path.display(), paragraph.line);
        let action = sentence::parse(&sentence, block).with_context(place)?;
        check_xml(&action).with_context(place)?;
        steps.push(Step { line: paragraph.line, sentence, action });
    }
    Ok(steps)
}

fn with_row(text: &str, row: &[(&str, &str)]) -> String {
    row.iter().fold(text.to_owned(), |text, (column, cell)| text.replace(&format!("{{{column}}}"), cell))
}

fn check_xml(action: &Action) -> Result<()> {
    let Action::Client(_, deed) = action else { return Ok(()) };
    match deed {
        Deed::Sends(xml)
        | Deed::Receives(xml)
        | Deed::ReceivesInAnyOrder(xml)
        | Deed::DoesNotReceive(xml) => {
            let elements = elements(xml)?;
            if elements.is_empty() { bail!("no element below it") } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// The elements of a block, read as children of a client's stream.
pub(super) fn elements(xml: &str) -> Result<Vec<Element>> {
    let stream =
        format!("<stream:stream xmlns='{}' xmlns:stream='{}'>{xml}</stream:stream>", ns::CLIENT, ns::STREAM);
    let stream: Element = stream.parse().map_err(|err| anyhow::anyhow!("not well-formed ({err}): {xml}"))?;
    if !stream.text().trim().is_empty() {
        bail!("text between the elements: {:?}", stream.text().trim());
    }
    Ok(stream.children().cloned().collect())
}

/// The same elements as the text they are written in.
pub(super) fn texts(xml: &str) -> Result<Vec<&str>> {
    use rxml::{Event, Parse, Parser};
    let header = format!("<stream:stream xmlns='{}' xmlns:stream='{}'>", ns::CLIENT, ns::STREAM);
    let mut parser = Parser::new();
    let mut bytes = header.as_bytes();
    parser.parse(&mut bytes, false).map_err(|err| anyhow::anyhow!("{err:?}"))?;
    let mut bytes = xml.as_bytes();
    let (mut texts, mut start, mut depth) = (Vec::new(), 0, 0usize);
    loop {
        match parser.parse(&mut bytes, false) {
            Ok(Some(Event::StartElement(..))) => depth += 1,
            Ok(Some(Event::EndElement(_))) => {
                depth -= 1;
                if depth == 0 {
                    let end = xml.len() - bytes.len();
                    texts.push(xml[start..end].trim());
                    start = end;
                }
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(rxml::error::EndOrError::NeedMoreData) => return Ok(texts),
            Err(rxml::error::EndOrError::Error(err)) => bail!("not well-formed ({err}): {xml}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Case>> {
        cases("it", Path::new("it.dialogue"), text)
    }

    #[test]
    fn comments_and_blocks_are_told_apart() {
        let text = "# heading\naccount romeo juliet   # two\n\nromeo/x sends:\n  <presence/>\n\n  <message\n    to='a'/>\n";
        let cases = parse(text).expect("a dialogue");
        assert_eq!(cases.len(), 1);
        let lines: Vec<usize> = cases[0].steps.iter().map(|step| step.line).collect();
        assert_eq!(lines, [2, 4]);
        assert_eq!(cases[0].steps[0].action, Action::Accounts(vec!["romeo".into(), "juliet".into()]));
    }

    #[test]
    fn each_row_is_a_case() {
        let text = "table\n  | type | then |\n  | chat | romeo/x settles |\n  | error | |\n{then}\nromeo/x sends:\n  <message type='{type}'/>\n";
        let cases = parse(text).expect("a dialogue");
        assert_eq!(
            cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(),
            ["it: chat, romeo/x settles", "it: error, "]
        );
        assert_eq!(cases[0].steps.len(), 2);
        assert_eq!(cases[1].steps.len(), 1, "an empty sentence is left out");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, expected) in [
            ("romeo/x dances\n", "it.dialogue:1: romeo/x dances"),
            ("\nromeo/x sends:\n  <presence>\n", "it.dialogue:2: romeo/x sends:"),
            ("romeo/x sends:\n", "it.dialogue:1: romeo/x sends:"),
            ("table\n  | a | b |\n  | 1 |\n", "it.dialogue:3: 1 cells for 2 columns"),
        ] {
            assert_eq!(parse(text).expect_err(text).to_string(), expected);
        }
    }

    #[test]
    fn elements_are_sent_as_they_are_written() {
        let xml = "<message  to=\"a\"><body>a &amp; b</body></message>\n<presence/> <iq\n/>";
        assert_eq!(
            texts(xml).expect("well-formed"),
            ["<message  to=\"a\"><body>a &amp; b</body></message>", "<presence/>", "<iq\n/>"]
        );
    }
}
