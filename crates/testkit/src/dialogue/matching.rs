//! Whether an element is what a dialogue expects, and if not, where it differs.
//!
//! Strict by default: no attribute and no child may be there that the pattern does not name, whatever their order.
//! `...` as text of an element opens it for more of both.

use minidom::Element;
use rxml::Namespace;

use super::template::{self, Variables};

/// The text that opens an element of a pattern.
const OPEN: &str = "...";

/// Compare. On success new variables are bound; otherwise nothing changes, and the first difference is told.
pub(crate) fn matches(pattern: &Element, actual: &Element, variables: &mut Variables) -> Result<(), String> {
    let mut bound = variables.clone();
    element(pattern, actual, pattern.name(), &mut bound)?;
    *variables = bound;
    Ok(())
}

fn element(pattern: &Element, actual: &Element, path: &str, variables: &mut Variables) -> Result<(), String> {
    if (pattern.name(), pattern.ns()) != (actual.name(), actual.ns()) {
        return Err(format!("{path}: it is a {}, not a {}", describe(actual), describe(pattern)));
    }
    let open = pattern.texts().any(|text| text.trim() == OPEN);
    attributes(pattern, actual, path, open, variables)?;
    text(pattern, actual, path, open, variables)?;
    let wanted: Vec<&Element> = pattern.children().collect();
    let mut there: Vec<&Element> = actual.children().collect();
    children(&wanted, &mut there, path, open, variables)
}

fn attributes(
    pattern: &Element,
    actual: &Element,
    path: &str,
    open: bool,
    variables: &mut Variables,
) -> Result<(), String> {
    for ((ns, name), wanted) in pattern.attrs().iter() {
        match actual.attrs().get(ns, name) {
            None => return Err(format!("{path}: attribute {name}='{wanted}' is missing")),
            Some(value) if !template::matches(wanted, value, variables) => {
                return Err(format!("{path}: {name} is '{value}', not '{}'", shown(wanted, variables)));
            }
            Some(_) => {}
        }
    }
    // RFC 6120 §8.1.5: a server may add the stream's language; only who asks for xml:lang is told of it.
    let mut others = actual.attrs().iter().filter(|((ns, _), _)| **ns != Namespace::XML);
    let extra = others.find(|((ns, name), _)| !pattern.attrs().contains_key(*ns, *name));
    match extra {
        Some(((_, name), value)) if !open => {
            Err(format!("{path}: attribute {name}='{value}' is not expected"))
        }
        _ => Ok(()),
    }
}

fn text(
    pattern: &Element,
    actual: &Element,
    path: &str,
    open: bool,
    variables: &mut Variables,
) -> Result<(), String> {
    let (mut wanted, mut there) = (pattern.text(), actual.text());
    if open {
        return Ok(());
    }
    // Between elements white space only separates; alone in an element it is text.
    if pattern.children().next().is_some() || actual.children().next().is_some() {
        (wanted, there) = (wanted.trim().to_owned(), there.trim().to_owned());
    }
    if template::matches(&wanted, &there, variables) {
        return Ok(());
    }
    Err(format!("{path}: its text is {there:?}, not {:?}", shown(&wanted, variables)))
}

/// Find an element for each wanted one. Tries all assignments, since a variable can make a first choice wrong.
fn children(
    wanted: &[&Element],
    there: &mut Vec<&Element>,
    path: &str,
    open: bool,
    variables: &mut Variables,
) -> Result<(), String> {
    let Some((first, rest)) = wanted.split_first() else {
        return match there.first() {
            Some(extra) if !open => Err(format!("{path}: a {} is not expected", describe(extra))),
            _ => Ok(()),
        };
    };
    let path_of_first = format!("{path}/{}", first.name());
    let mut difference = None;
    for index in 0..there.len() {
        if (there[index].name(), there[index].ns()) != (first.name(), first.ns()) {
            continue;
        }
        let candidate = there.remove(index);
        let mut bound = variables.clone();
        let outcome = element(first, candidate, &path_of_first, &mut bound)
            .and_then(|()| children(rest, there, path, open, &mut bound));
        there.insert(index, candidate);
        match outcome {
            Ok(()) => {
                *variables = bound;
                return Ok(());
            }
            Err(why) => difference = difference.or(Some(why)),
        }
    }
    Err(difference.unwrap_or_else(|| format!("{path}: a {} is missing", describe(first))))
}

fn describe(element: &Element) -> String {
    format!("<{} xmlns='{}'>", element.name(), element.ns())
}

/// A template with what is known filled in, for a message.
fn shown(template: &str, variables: &Variables) -> String {
    template::fill(template, variables).unwrap_or_else(|_| template.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, actual: &str) -> Result<Variables, String> {
        let parse = |xml: &str| -> Element { xml.parse().expect("a test's XML is well-formed") };
        let mut variables = Variables::new();
        matches(&parse(pattern), &parse(actual), &mut variables).map(|()| variables)
    }

    #[test]
    fn order_of_attributes_and_children_does_not_matter() {
        check("<m xmlns='x' a='1' b='2'><c/><d/></m>", "<m xmlns='x' b='2' a='1'><d/> <c/></m>")
            .expect("equal");
    }

    #[test]
    fn what_is_more_or_less_or_other_is_told() {
        let cases = [
            ("<m xmlns='x'/>", "<m xmlns='x' a='1'/>", "m: attribute a='1' is not expected"),
            ("<m xmlns='x' a='1'/>", "<m xmlns='x'/>", "m: attribute a='1' is missing"),
            ("<m xmlns='x' a='1'/>", "<m xmlns='x' a='2'/>", "m: a is '2', not '1'"),
            ("<m xmlns='x'/>", "<m xmlns='x'><c/></m>", "m: a <c xmlns='x'> is not expected"),
            ("<m xmlns='x'><c/></m>", "<m xmlns='x'/>", "m: a <c xmlns='x'> is missing"),
            ("<m xmlns='x'><c/><c/></m>", "<m xmlns='x'><c/></m>", "m: a <c xmlns='x'> is missing"),
            (
                "<m xmlns='x'><c>hi</c></m>",
                "<m xmlns='x'><c>ho</c></m>",
                "m/c: its text is \"ho\", not \"hi\"",
            ),
            ("<m xmlns='x'/>", "<m xmlns='y'/>", "m: it is a <m xmlns='y'>, not a <m xmlns='x'>"),
        ];
        for (pattern, actual, difference) in cases {
            assert_eq!(check(pattern, actual).expect_err(pattern), difference);
        }
    }

    #[test]
    fn three_dots_open_one_element_only() {
        check("<m xmlns='x'>...<c/></m>", "<m xmlns='x' a='1'><d/>text<c/></m>").expect("open");
        check("<m xmlns='x'>...<c/></m>", "<m xmlns='x'><c a='1'/></m>").expect_err("the child is not open");
        check("<m xmlns='x'>...<c/></m>", "<m xmlns='x'><d/></m>").expect_err("what is named must be there");
    }

    #[test]
    fn a_variable_can_choose_the_child() {
        let bound = check(
            "<m xmlns='x'><i n='{a}'/><i n='{b}' of='{a}'/></m>",
            "<m xmlns='x'><i n='2' of='1'/><i n='1'/></m>",
        );
        assert_eq!(bound.expect("assigned")["a"], "1");
    }
}
