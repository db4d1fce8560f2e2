//! Text with variables: `{any}` stands for whatever is there, `{name}` for the same text everywhere.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

/// What the variables of a dialogue stand for so far.
pub(crate) type Variables = BTreeMap<String, String>;

/// A part of a template.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// Cut a template into its parts. A brace that does not enclose a name is text.
fn parts(template: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    let mut searched = 0;
    while let Some(open) = rest[searched..].find('{').map(|at| at + searched) {
        let name = rest[open + 1..].split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        let Some(name) = name else {
            searched = open + 1;
            continue;
        };
        if open > 0 {
            parts.push(Part::Text(&rest[..open]));
        }
        parts.push(Part::Variable(name));
        rest = &rest[open + name.len() + 2..];
        searched = 0;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
}

/// Replace the variables by what they stand for. `{any}` and variables that stand for nothing yet are errors.
pub(crate) fn fill(template: &str, variables: &Variables) -> Result<String> {
    let mut filled = String::new();
    for part in parts(template) {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Variable(name) => match variables.get(name) {
                Some(value) => filled.push_str(value),
                None => bail!("{{{name}}} stands for nothing here"),
            },
        }
    }
    Ok(filled)
}

/// Whether `actual` has the shape of the template; new variables are bound. An unbound variable takes as little as
/// it can, and at least one character.
pub(crate) fn matches(template: &str, actual: &str, variables: &mut Variables) -> bool {
    let mut bound = variables.clone();
    let fits = fits(&parts(template), actual, &mut bound);
    if fits {
        *variables = bound;
    }
    fits
}

fn fits(parts: &[Part<'_>], actual: &str, variables: &mut Variables) -> bool {
    let Some((first, rest)) = parts.split_first() else { return actual.is_empty() };
    let known = match first {
        Part::Text(text) => Some((*text).to_owned()),
        Part::Variable(name) => variables.get(*name).cloned(),
    };
    if let Some(known) = known {
        return actual.strip_prefix(known.as_str()).is_some_and(|actual| fits(rest, actual, variables));
    }
    let Part::Variable(name) = first else { return false };
    let ends = actual.char_indices().map(|(at, c)| at + c.len_utf8());
    for end in ends {
        let mut bound = variables.clone();
        if *name != "any" {
            bound.insert((*name).to_owned(), actual[..end].to_owned());
        }
        if fits(rest, &actual[end..], &mut bound) {
            *variables = bound;
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_bound_once_and_holds_afterwards() {
        let mut variables = Variables::new();
        assert!(matches("{number}@localhost", "10001@localhost", &mut variables));
        assert_eq!(variables["number"], "10001");
        assert!(matches("{number}", "10001", &mut variables));
        assert!(!matches("{number}", "10002", &mut variables));
        assert_eq!(fill("to {number}!", &variables).expect("bound"), "to 10001!");
    }

    #[test]
    fn any_is_never_bound_and_never_empty() {
        let mut variables = Variables::new();
        assert!(matches("{any}-{any}", "a-b", &mut variables));
        assert!(variables.is_empty());
        assert!(!matches("{any}", "", &mut variables));
        assert!(fill("{any}", &variables).is_err());
    }

    #[test]
    fn braces_without_a_name_are_text() {
        let mut variables = Variables::new();
        assert!(matches("{ \"a\": {} }", "{ \"a\": {} }", &mut variables));
        assert_eq!(fill("{}{ }", &variables).expect("no variables"), "{}{ }");
    }

    #[test]
    fn a_failed_match_binds_nothing() {
        let mut variables = Variables::new();
        assert!(!matches("{a}/x", "b/y", &mut variables));
        assert!(variables.is_empty());
    }
}
