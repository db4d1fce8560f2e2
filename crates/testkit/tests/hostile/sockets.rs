//! Half-open connections over real sockets, bounded in number and time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rookery::net::listener::{self, Admission};
use rookery_testkit::client::Client;
use rookery_testkit::server::{TestOptions, TestServer};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// How long a step may take; only a safety net.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn many_that_never_speak() -> Result<()> {
    let server = TestServer::start(TestOptions::default()).await?;
    server.create_account("romeo", "secret").await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let admission = Arc::new(Admission::new(300, 200));
    let accepting = tokio::spawn(listener::run(server.shared().clone(), listener, admission, false));

    let sign_in = async {
        let mut client = Client::new(TcpStream::connect(address).await?, "localhost");
        client.sign_in("romeo", "secret", "orchard").await?;
        anyhow::Ok(client)
    };
    let mut romeo = tokio::time::timeout(PATIENCE, sign_in).await??;

    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(address).await?);
    }
    // Beyond the bound of an address a connection is closed at once; the others are kept until their time is over.
    let mut turned_away = 0;
    for stream in &mut silent[199..] {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 16])).await;
        turned_away += usize::from(matches!(read.context("it was let in")?, Ok(0) | Err(_)));
    }
    assert_eq!(turned_away, 401);
    // Who is signed in does not notice.
    tokio::time::timeout(PATIENCE, romeo.sync()).await??;
    // Places are given back.
    drop(silent);
    let mut again = Err(anyhow::anyhow!("never tried"));
    for _ in 0..1000 {
        let sign_in = async {
            let mut client = Client::new(TcpStream::connect(address).await?, "localhost");
            client.sign_in("romeo", "secret", "chamber").await?;
            anyhow::Ok(client)
        };
        again = tokio::time::timeout(PATIENCE, sign_in).await?;
        if again.is_ok() {
            break;
        }
    }
    again?;
    accepting.abort();
    Ok(())
}
