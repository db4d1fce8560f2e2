//! A few friendly lines on the terminal: where to connect, and how to begin.

use crate::certificate::LocalCertificate;
use crate::config::Config;
use crate::http::messenger;
use rookery_core::{Core, Registration};
use rookery_store::LinkPurpose;
use std::net::SocketAddr;

/// Says what this server is and how people reach it.
pub(super) async fn greet(config: &Config, core: &Core) {
    let accounts = core.store.account_count().await.unwrap_or(0);
    let people = match accounts {
        1 => "1 account".to_owned(),
        n => format!("{n} accounts"),
    };
    println!("Rookery {} serves {} ({people}).", env!("CARGO_PKG_VERSION"), config.domain);
    println!();
    doors(config);
    if config.tls_certificate.is_none() {
        let authority = LocalCertificate::new(&config.data, &config.domain).authority_file();
        println!("  The certificate is our own; let applications trust  {}", authority.display());
    }
    if let Some(why) = messenger::missing() {
        println!();
        println!("The web messenger is not part of this program: {}", why.lines().next().unwrap_or_default());
    }
    if accounts == 0 {
        beginning(config, core).await;
    }
    println!();
}

/// Where to point what.
fn doors(config: &Config) {
    let list =
        |addresses: &[SocketAddr]| addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
    for (at, address) in pages(config).iter().enumerate() {
        println!(
            "  {}  {address}",
            if at == 0 { "Point a browser to            " } else { "                            or" }
        );
    }
    if !config.listen_c2s.is_empty() {
        println!("  XMPP applications connect to    {}  (STARTTLS)", list(&config.listen_c2s));
    }
    if !config.listen_c2s_tls.is_empty() {
        println!("                              or  {}  (direct TLS)", list(&config.listen_c2s_tls));
    }
    if !config.listen_status.is_empty() {
        println!("  Figures and health are at       http://{}/metrics", list(&config.listen_status));
    }
}

/// The addresses to type into a browser: first the one that needs no certificate and works at once.
fn pages(config: &Config) -> Vec<String> {
    let here = here(config).map(|here| format!("{here}  (this machine, or a proxy)"));
    here.into_iter().chain(config.public_url()).collect()
}

/// The address for a browser on this machine.
fn here(config: &Config) -> Option<String> {
    config.listen_http.first().map(|address| match address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    })
}

/// The page on which the first administrator makes an account, where this program has it.
async fn administrator_link(config: &Config, core: &Core) -> Option<String> {
    let base = here(config).or(config.public_url()).filter(|_| messenger::missing().is_none())?;
    match core.accounts.grant(LinkPurpose::Administrator).await {
        Ok(link) => Some(format!("{base}{}", link.path)),
        Err(error) => {
            tracing::warn!(%error, "no link for the first administrator could be made");
            None
        }
    }
}

/// What to do while nobody is here.
async fn beginning(config: &Config, core: &Core) {
    let usual = config.data == Config::default().data;
    let data = if usual { String::new() } else { format!(" --data {}", config.data.display()) };
    println!();
    match administrator_link(config, core).await {
        Some(link) => {
            println!(
                "Nobody is here yet. Open this to become the administrator; it is good once, and for a day:"
            );
            println!();
            println!("  {link}");
            println!();
            println!("Or make the first two accounts in another terminal:");
        }
        None => println!("Nobody is here yet. In another terminal, make the first two accounts:"),
    }
    println!("  rookery account create alice{data}    (alice@{}, and a number besides)", config.domain);
    println!("  rookery account create{data}          (the number is the address)");
    println!("From the source folder, `cargo run --release --` stands for `rookery`.");
    match config.registration {
        Registration::Closed => {
            println!("People cannot sign up themselves; `registration.mode` changes that.")
        }
        Registration::Invite => {
            println!("People sign up with an invitation: rookery invite create{data}")
        }
        Registration::Review | Registration::Open => {
            println!("People may also sign up in the messenger, or in their application.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_typed() {
        let mut config = Config::default();
        let here = "http://127.0.0.1:5280  (this machine, or a proxy)";
        assert_eq!(pages(&config), [here, "https://localhost:5443"]);
        config.listen_http = vec!["[::]:80".parse().unwrap()];
        config.http_public_url = Some("https://chat.example.org".into());
        let here = "http://localhost:80  (this machine, or a proxy)";
        assert_eq!(pages(&config), [here, "https://chat.example.org"]);
        (config.listen_http, config.listen_https, config.http_public_url) = (Vec::new(), Vec::new(), None);
        assert_eq!(pages(&config), [""; 0]);
    }
}
