//! Dialogues that are wrong about the server must fail, at the line that is wrong and with the reason.

use std::path::Path;

use rookery_testkit::dialogue::{self, Target};

const BEGINNING: &str = "account romeo juliet
romeo/orchard connects and is available
juliet/balcony connects and is available
romeo/orchard sends:
  <message to='juliet@localhost' type='chat' id='m1'><body>hi</body></message>
";

/// Run the beginning with this after it.
fn run(rest: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("it.dialogue");
    std::fs::write(&path, format!("{BEGINNING}{rest}")).expect("written");
    let cases = dialogue::read(folder.path(), &path).expect("a dialogue");
    let outcome = dialogue::run(&cases[0], Target::Ours);
    outcome.map_err(|err| err.replace(&path.display().to_string(), "it"))
}

fn assert_fails(rest: &str, place: &str, reason: &str) {
    let err = run(rest).expect_err(rest);
    assert!(err.starts_with(place), "{err}");
    assert!(err.contains(reason), "{err}");
}

#[test]
fn a_right_one_passes() {
    run("juliet/balcony receives:\n  <message id='m1'>...<body>hi</body></message>\n").expect("it is right");
}

#[test]
fn silence_that_is_none() {
    assert_fails("juliet/balcony receives nothing\n", "it:6:", "it received <message");
}

#[test]
fn what_nobody_mentions() {
    assert_fails("", "it: at the end", "juliet/balcony received what nobody mentioned");
}

#[test]
fn what_must_not_come() {
    assert_fails(
        "juliet/balcony does not receive:\n  <message>...<body>hi</body></message>\n",
        "it:6:",
        "it did receive",
    );
}

#[test]
fn another_text_and_more_than_expected() {
    assert_fails(
        "juliet/balcony receives:\n  <message id='m1'>...<body>ho</body></message>\n",
        "it:6:",
        "message/body: its text is \"hi\", not \"ho\"",
    );
    assert_fails(
        "juliet/balcony receives:\n  <message id='m1'><body>hi</body></message>\n",
        "it:6:",
        "is not expected",
    );
}

#[test]
fn a_variable_that_changes() {
    assert_fails(
        "juliet/balcony receives:\n  <message id='{id}'>...<body>{id}</body></message>\n",
        "it:6:",
        "its text is \"hi\", not \"m1\"",
    );
}

#[test]
fn mistakes_in_the_language() {
    let read = |text: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("it.dialogue");
        std::fs::write(&path, text).expect("written");
        dialogue::read(folder.path(), Path::new(&path)).map(|cases| cases.len())
    };
    for wrong in ["romeo/x dances\n", "romeo/x sends:\n  <presence>\n", "romeo/x connects\n  <presence/>\n"] {
        read(wrong).expect_err(wrong);
    }
}
