//! Who signs in: accounts of a pattern, or of a file.

use std::borrow::Cow;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The accounts of a run, by their number from 0.
pub(crate) enum Accounts {
    /// Names made of a pattern, all with one password: no memory for each of them.
    Pattern {
        /// What stands before and after the number.
        around: (String, String),
        /// The number of account 0.
        first: usize,
        password: String,
    },
    /// Local part and password.
    Listed(Vec<(String, String)>),
}

impl Accounts {
    /// `pattern` has `{}` where the number goes.
    pub(crate) fn of_pattern(pattern: &str, first: usize, password: &str) -> Result<Accounts> {
        let (before, after) = pattern.split_once("{}").context("the pattern of user names has no {}")?;
        let around = (before.to_owned(), after.to_owned());
        Ok(Accounts::Pattern { around, first, password: password.to_owned() })
    }

    /// Lines `address,password`, as `rookery account import` takes them; the address may be without a domain.
    pub(crate) fn of_file(path: &Path) -> Result<Accounts> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_path(path)
            .with_context(|| format!("opening {}", path.display()))?;
        let mut listed = Vec::new();
        for record in reader.records() {
            let record = record?;
            let (Some(address), Some(password)) = (record.get(0), record.get(1)) else {
                bail!("a line of {} is not `address,password`", path.display());
            };
            // The heading that an import would skip, too.
            if listed.is_empty() && address == "address" {
                continue;
            }
            let local = address.split('@').next().unwrap_or(address);
            listed.push((local.to_owned(), password.to_owned()));
        }
        Ok(Accounts::Listed(listed))
    }

    /// How many there are; a pattern has as many as are wanted.
    pub(crate) fn count(&self) -> usize {
        match self {
            Accounts::Pattern { .. } => usize::MAX,
            Accounts::Listed(listed) => listed.len(),
        }
    }

    /// The local part of an account's address.
    pub(crate) fn local(&self, account: usize) -> Cow<'_, str> {
        match self {
            Accounts::Pattern { around: (before, after), first, .. } => {
                format!("{before}{}{after}", first + account).into()
            }
            Accounts::Listed(listed) => listed[account].0.as_str().into(),
        }
    }

    pub(crate) fn password(&self, account: usize) -> &str {
        match self {
            Accounts::Pattern { password, .. } => password,
            Accounts::Listed(listed) => &listed[account].1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_makes_names() {
        let accounts = Accounts::of_pattern("load{}x", 100, "secret").expect("a pattern");
        assert_eq!(accounts.local(7), "load107x");
        assert_eq!(accounts.password(7), "secret");
        assert!(Accounts::of_pattern("load", 0, "").is_err());
    }

    #[test]
    fn a_file_lists_addresses() {
        let folder = std::env::temp_dir().join(format!("load-accounts-{}", std::process::id()));
        std::fs::write(&folder, "address,password\nanna@example.org,one\nben,\"t,wo\",Ben\n")
            .expect("it is written");
        let accounts = Accounts::of_file(&folder).expect("it is read");
        std::fs::remove_file(&folder).expect("it is there");
        assert_eq!(accounts.count(), 2);
        assert_eq!(accounts.local(0), "anna");
        assert_eq!((accounts.local(1).as_ref(), accounts.password(1)), ("ben", "t,wo"));
    }
}
