use super::*;
use axum::http::StatusCode;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;

const BOUNDS: Bounds = Bounds { time: Duration::from_secs(20), body: 16 };

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

/// Reads a request's head, and writes this.
async fn answer<S: AsyncReadExt + AsyncWriteExt + Unpin>(stream: &mut S, text: &str) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// A client whose connections end here.
fn in_memory() -> (Client, tokio::sync::mpsc::UnboundedReceiver<DuplexStream>) {
    let (lines, arrivals) = tokio::sync::mpsc::unbounded_channel();
    let dial: Dial = Arc::new(move |_| {
        let (ours, theirs) = tokio::io::duplex(1024);
        lines.send(theirs).ok();
        Box::pin(async { Ok(Line::new(ours)) })
    });
    (Client::through(dial), arrivals)
}

#[tokio::test(start_paused = true)]
async fn a_connection_serves_again() {
    let (client, mut arrivals) = in_memory();
    let served = tokio::spawn(async move {
        let mut line = arrivals.recv().await.unwrap();
        answer(&mut line, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi").await;
        answer(&mut line, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n").await;
    });
    let first = client.send(get("http://push.example/1"), BOUNDS).await.unwrap();
    assert_eq!((first.status(), &first.body()[..]), (StatusCode::CREATED, &b"hi"[..]));
    let second = client.send(get("http://push.example/2"), BOUNDS).await.unwrap();
    assert_eq!(second.status(), StatusCode::GONE);
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_given_up() {
    let (client, mut arrivals) = in_memory();
    let served = tokio::spawn(async move {
        let mut endless = arrivals.recv().await.unwrap();
        answer(&mut endless, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        while endless.write_all(b"8\r\nabcdefgh\r\n").await.is_ok() {}
        let mut silent = arrivals.recv().await.unwrap();
        let mut rest = Vec::new();
        silent.read_to_end(&mut rest).await.unwrap();
        let mut broken = arrivals.recv().await.unwrap();
        answer(&mut broken, "SSH-2.0-other\r\n").await;
    });
    assert!(matches!(client.send(get("http://push.example/"), BOUNDS).await, Err(Error::TooLarge)));
    assert!(matches!(client.send(get("http://push.example/"), BOUNDS).await, Err(Error::TimedOut)));
    assert!(matches!(client.send(get("http://push.example/"), BOUNDS).await, Err(Error::Broken(_))));
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_clock_starts_with_the_turn() {
    let (client, mut arrivals) = in_memory();
    let turns = client.turns.clone().acquire_many_owned(AT_ONCE as u32).await.unwrap();
    let asked = tokio::time::Instant::now();
    let outcome = client.send(get("http://push.example/"), BOUNDS).await;
    assert!(matches!(outcome, Err(Error::Busy)), "{outcome:?}");
    assert_eq!(asked.elapsed(), WAIT);
    let late = async {
        tokio::time::sleep(WAIT - Duration::from_secs(1)).await;
        drop(turns);
        let _silent = arrivals.recv().await.unwrap();
        std::future::pending::<()>().await
    };
    let asked = tokio::time::Instant::now();
    tokio::select! {
        outcome = client.send(get("http://push.example/"), BOUNDS) => {
            assert!(matches!(outcome, Err(Error::TimedOut)), "{outcome:?}");
        }
        () = late => {}
    }
    assert_eq!(asked.elapsed(), WAIT - Duration::from_secs(1) + BOUNDS.time);
}

async fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn the_inside_is_not_reached() {
    let (_listener, address) = listening().await;
    let client = Client::trusting(rustls::RootCertStore::empty(), Reach::Public { besides: Vec::new() });
    let port = address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "0x7f000001", "2130706433"]
    {
        let outcome = client.send(get(&format!("http://{host}:{port}/")), BOUNDS).await;
        assert!(matches!(outcome, Err(Error::Dial(DialError::Internal))), "{host}: {outcome:?}");
    }
    let outcome = client.send(get("ftp://127.0.0.1/"), BOUNDS).await;
    assert!(matches!(outcome, Err(Error::Dial(DialError::Address))), "{outcome:?}");
}

#[tokio::test]
async fn tls_is_with_whom_is_trusted() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let chain = vec![key.cert.der().clone()];
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            chain,
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listening().await;
    let served = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Who does not trust us breaks off.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                answer(&mut stream, "HTTP/1.1 204 No Content\r\n\r\n").await;
                return;
            }
        }
    });
    let uri = format!("https://localhost:{}/", address.port());
    let stranger = Client::trusting(rustls::RootCertStore::empty(), Reach::Anywhere);
    let outcome = stranger.send(get(&uri), BOUNDS).await;
    assert!(matches!(outcome, Err(Error::Dial(DialError::Failed(_)))), "{outcome:?}");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(key.cert.der().clone()).unwrap();
    let inside = Reach::Public { besides: vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()] };
    let answered = Client::trusting(roots, inside).send(get(&uri), BOUNDS).await.unwrap();
    assert_eq!(answered.status(), StatusCode::NO_CONTENT);
    served.await.unwrap();
}
