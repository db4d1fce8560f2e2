//! Where a password comes from: asked for without an echo, read from standard input, or made up.

use std::io::{self, BufRead};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rookery_core::env::Env;
use rookery_proto::sasl::MAX_PASSWORD;

#[derive(Args)]
pub(super) struct PasswordArgs {
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long, conflicts_with = "generate_password")]
    password_stdin: bool,
    /// Make up a password and show it
    #[arg(long)]
    generate_password: bool,
}

/// A password, and whether its owner has yet to be told.
pub(super) struct Password {
    pub(super) text: String,
    pub(super) generated: bool,
}

impl PasswordArgs {
    pub(super) fn get(&self) -> Result<Password> {
        if self.generate_password {
            return Ok(Password { text: generate(&Env::system()), generated: true });
        }
        let text = if self.password_stdin { first_line(io::stdin().lock())? } else { prompt()? };
        Ok(Password { text, generated: false })
    }
}

fn prompt() -> Result<String> {
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|_| {
            anyhow!(
                "There is no terminal to ask for the password: use --password-stdin or --generate-password."
            )
        })
    };
    let first = ask("Password: ")?;
    if first.is_empty() {
        bail!("The password is empty; nothing was done.");
    }
    if ask("Once more: ")? != first {
        bail!("The two passwords differ; nothing was done.");
    }
    Ok(first)
}

fn first_line(input: impl BufRead) -> Result<String> {
    let mut line = String::new();
    // More than the longest password, so that a longer one is seen to be too long.
    input.take(MAX_PASSWORD as u64 + 3).read_line(&mut line).context("The password cannot be read")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Twenty letters and digits in groups: a hundred random bits, easily read out and typed.
fn generate(env: &Env) -> String {
    let letters: Vec<char> = env.token().chars().take(20).collect();
    letters.chunks(5).map(String::from_iter).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        for (input, password) in
            [("secret\n", "secret"), (" a b \r\nmore", " a b "), ("", ""), ("last", "last")]
        {
            assert_eq!(first_line(input.as_bytes()).unwrap(), password);
        }
        assert!(first_line("x".repeat(10_000).as_bytes()).unwrap().len() > MAX_PASSWORD);
    }

    #[test]
    fn made_up_passwords_differ() {
        let env = Env::system();
        let one = generate(&env);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
        assert_ne!(one, generate(&env));
    }
}
