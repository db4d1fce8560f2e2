//! What the tests share: a server, raw connections to it, and what can be asked of what came back.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use rookery_core::session::Session;
use rookery_proto::Uid;
use rookery_testkit::client::Client;
use rookery_testkit::clock;
use rookery_testkit::server::{TestOptions, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

pub(crate) const PASSWORD: &str = "secret";
pub(crate) const HEADER: &str = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
                          xmlns:stream='http://etherx.jabber.org/streams'>";

/// Runs a test in virtual time.
pub(crate) fn run(test: impl Future<Output = Result<()>>) {
    clock::run(test).expect("the test hangs").expect("the test fails");
}

/// A server with these settings, and the accounts romeo and juliet.
pub(crate) async fn server(settings: &[(&str, &str)]) -> Result<TestServer> {
    let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    with(TestOptions { settings, ..TestOptions::default() }).await
}

/// A server with these options, and the accounts romeo and juliet.
pub(crate) async fn with(options: TestOptions) -> Result<TestServer> {
    let server = TestServer::start(options).await?;
    for name in ["romeo", "juliet"] {
        server.create_account(name, PASSWORD).await?;
    }
    Ok(server)
}

/// A client with a bound resource.
pub(crate) async fn bound(server: &TestServer, account: &str, resource: &str) -> Result<Client> {
    let mut client = Client::new(server.connect(), "localhost");
    client.sign_in(account, PASSWORD, resource).await?;
    Ok(client)
}

/// A client that is available, too.
pub(crate) async fn available(server: &TestServer, account: &str, resource: &str) -> Result<Client> {
    let mut client = bound(server, account, resource).await?;
    client.send_raw("<presence/>").await?;
    client.barrier().await?;
    Ok(client)
}

/// The server's side of a resource.
pub(crate) fn session(server: &TestServer, number: u64, resource: &str) -> Result<Arc<Session>> {
    server.core().router.session(Uid(number), resource).context("no such session")
}

/// An address to connect from.
pub(crate) fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// Whatever the server says to these bytes until it ends the connection.
pub(crate) async fn answer(mut pipe: DuplexStream, bytes: &[u8]) -> Result<String> {
    // It may end the connection before it has read everything.
    pipe.write_all(bytes).await.ok();
    read_to_end(pipe).await
}

/// Whatever the server still says.
pub(crate) async fn read_to_end(mut pipe: DuplexStream) -> Result<String> {
    let mut said = Vec::new();
    pipe.read_to_end(&mut said).await.ok();
    Ok(String::from_utf8(said)?)
}

/// Whether it ends with this stream error and the end of the stream.
pub(crate) fn ends_with(said: &str, condition: &str) -> bool {
    said.contains(&format!("<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"))
        && said.contains("</stream:error></stream:stream>")
        && said.ends_with("</stream:stream>")
}

/// A number generator for what is thrown at the server: SplitMix64, so that a seed repeats a failure.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}
