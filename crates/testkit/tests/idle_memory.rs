//! What a signed-in client costs that does nothing: the size of its task, and its bytes on the heap.
//!
//! Both are counts that do not depend on the machine's mood, so they are asserted; a bound is a little above what was
//! measured when it was set. Bytes are as asked for: the allocator rounds them up by some 10 %.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;

use rookery::http::listener::Http;
use rookery::http::{Settings, Web};
use rookery::net::connection::Connection;
use rookery::net::framing::Framing;
use rookery::net::listener::Admission;
use rookery::net::transport::{self, Conn};
use rookery::net::{self, Arrival};
use rookery_proto::xml::Limits;
use rookery_testkit::client::Transport;
use rookery_testkit::measure::{Site, Wire};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Bytes of a bound connection and of the future that serves it.
const BOUND_FUTURE: usize = 1_400;

/// Bytes of the future of a connection's task, from the first byte on.
const WHOLE_FUTURE: usize = 1_536;

/// Bytes on the heap of an idle session over TCP: with its task, its socket's registration, its account, its roster.
const IDLE_SESSION: usize = 5_696;

/// The same over a WebSocket without TLS.
const IDLE_WEBSOCKET: usize = 5_952;

/// The same over TLS 1.3, without contacts. Most of it is the library's.
const IDLE_TLS: usize = 11_840;

/// Sessions that are measured, and those before them that fill caches and pools.
const SESSIONS: usize = 200;
const WARM_UP: usize = 40;

/// Contacts of each account: so many accounts before it and after it.
const NEIGHBOURS: usize = 10;

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Nothing that this thread allocates and frees counts: it is the clients'.
    static UNCOUNTED: Cell<bool> = const { Cell::new(false) };
}

fn counted(size: usize) -> usize {
    if UNCOUNTED.get() { 0 } else { size }
}

// SAFETY: everything is left to the system's allocator; only sizes are counted.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(counted(layout.size()), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(counted(layout.size()), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn connection(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let address = listener.local_addr().expect("it is bound");
    let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (ours, theirs) = (ours.expect("loopback"), theirs.expect("loopback").0);
    for socket in [&ours, &theirs] {
        socket.set_nodelay(true).expect("it is a socket");
    }
    (ours, theirs)
}

/// A client whose socket the runtime does not know, so that its side costs nothing.
type Parked = Wire<std::net::TcpStream>;

/// How clients connect.
#[derive(Clone, Copy)]
enum Way<'a> {
    Stream,
    WebSocket(&'a Http),
}

/// What most clients do when they are bound: stream management, roster, presence.
async fn settle_in<S: Transport>(wire: &mut Wire<S>) {
    wire.manage().await.expect("it can be resumed");
    wire.ask("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "</iq>")
        .await
        .expect("a roster");
    wire.ask("<presence><priority>5</priority></presence>", "</presence>").await.expect("it is available");
}

/// Signs in as most clients do.
async fn sign_in(site: &Site, listener: &TcpListener, way: Way<'_>, index: usize) -> Parked {
    let (ours, theirs) = connection(listener).await;
    let mut wire = match way {
        Way::Stream => {
            tokio::spawn(net::serve(site.server().clone(), Arrival::plain(theirs, LOCALHOST), false, None));
            site.sign_in_over(ours, index).await.expect("it signs in")
        }
        Way::WebSocket(http) => {
            let place = http.enter(LOCALHOST).expect("there is room");
            tokio::spawn(http.clone().serve(theirs, LOCALHOST, None, place));
            site.sign_in_over_web_socket(ours, index).await.expect("it signs in")
        }
    };
    settle_in(&mut wire).await;
    wire.map(|socket| socket.into_std().expect("it is a socket"))
}

/// Signs in the accounts, and has all clients take and acknowledge everything.
async fn idle(
    site: &Site,
    listener: &TcpListener,
    way: Way<'_>,
    clients: &mut Vec<Parked>,
    accounts: Range<usize>,
) {
    for index in accounts {
        clients.push(sign_in(site, listener, way, index).await);
    }
    for _ in 0..clients.len() {
        let mut wire = clients.remove(0).map(|socket| TcpStream::from_std(socket).expect("it is a socket"));
        wire.settle().await.expect("it acknowledges");
        clients.push(wire.map(|socket| socket.into_std().expect("it is a socket")));
    }
}

/// Bytes on the heap of an idle session that came in this way.
async fn measured(over_web_socket: bool) -> usize {
    let accounts = WARM_UP + SESSIONS;
    let site = Site::with_accounts(accounts).await.expect("a server");
    let listener = TcpListener::bind((LOCALHOST, 0)).await.expect("a free port");
    let around = |n| (1..=NEIGHBOURS).map(move |by| (n, (n + by) % accounts));
    site.befriend(&(0..accounts).flat_map(around).collect::<Vec<_>>()).await.expect("they are friends");
    let admission = Arc::new(Admission::new(accounts, accounts));
    let http =
        Http::new(Web::new(site.server().clone(), admission, Settings::default(), None, None, None, None));
    let way = if over_web_socket { Way::WebSocket(&http) } else { Way::Stream };

    let mut clients = Vec::with_capacity(accounts);
    idle(&site, &listener, way, &mut clients, 0..WARM_UP).await;
    let before = IN_USE.load(Relaxed);
    idle(&site, &listener, way, &mut clients, WARM_UP..accounts).await;
    (IN_USE.load(Relaxed) - before) / SESSIONS
}

/// One after the other: what is counted is of the whole process.
#[tokio::test]
async fn an_idle_session_is_small() {
    let each = measured(false).await;
    println!("an idle session: {each} bytes on the heap");
    assert!(each <= IDLE_SESSION, "an idle session costs {each} bytes, more than {IDLE_SESSION}");
    let each = measured(true).await;
    println!("an idle session over WebSocket: {each} bytes on the heap");
    assert!(each <= IDLE_WEBSOCKET, "over WebSocket it costs {each} bytes, more than {IDLE_WEBSOCKET}");
    let each = measured_over_tls().await;
    println!("an idle session over TLS: {each} bytes on the heap");
    assert!(each <= IDLE_TLS, "over TLS it costs {each} bytes, more than {IDLE_TLS}");
}

/// Clients over TLS, on a thread of their own: what TLS costs them is not counted. It says when some have signed in, and goes on
/// when it is told; at the end it waits until the other end is dropped.
fn tls_clients(
    users: Vec<String>,
    trust: Arc<ClientConfig>,
    address: SocketAddr,
    (done, go): (mpsc::Sender<()>, mpsc::Receiver<()>),
) {
    UNCOUNTED.set(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let connector = TlsConnector::from(trust);
    let mut wires = Vec::new();
    for (index, user) in users.iter().enumerate() {
        if index == WARM_UP {
            done.send(()).expect("somebody listens");
            go.recv().expect("somebody listens");
        }
        wires.push(runtime.block_on(async {
            let socket = TcpStream::connect(address).await.expect("loopback");
            let name = ServerName::try_from("localhost").expect("a name");
            let stream = connector.connect(name, socket).await.expect("it is trusted");
            let mut wire = Wire::new(stream);
            wire.sign_in(user, "desk").await.expect("it signs in");
            settle_in(&mut wire).await;
            wire.settle().await.expect("it acknowledges");
            wire
        }));
    }
    done.send(()).expect("somebody listens");
    // Ends with the sender.
    go.recv().ok();
}

/// Bytes on the heap of an idle session over TLS, without contacts.
#[allow(clippy::disallowed_methods, reason = "a thread is told from others by what it allocates")]
async fn measured_over_tls() -> usize {
    let accounts = WARM_UP + SESSIONS;
    let site = Site::with_tls(accounts).await.expect("a server");
    let listener = TcpListener::bind((LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (users, trust) =
        ((0..accounts).map(|n| site.user(n)).collect(), site.trust().expect("a certificate"));
    let server = site.server().clone();
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(net::serve(server.clone(), Arrival::plain(socket, LOCALHOST), true, None));
        }
    });
    let ((done, is_done), (go, may_go)) = (mpsc::channel(), mpsc::channel());
    let clients = thread::spawn(move || tls_clients(users, trust, address, (done, may_go)));
    let mut looks = Vec::new();
    let mut is_done = is_done;
    for _ in 0..2 {
        is_done = tokio::task::spawn_blocking(move || {
            is_done.recv().expect("the clients are well");
            is_done
        })
        .await
        .expect("it waits");
        looks.push(IN_USE.load(Relaxed));
        go.send(()).ok();
    }
    drop(go);
    clients.join().expect("the clients end");
    accepting.abort();
    (looks[1] - looks[0]) / SESSIONS
}

#[tokio::test]
async fn the_task_of_a_connection_is_small() {
    let site = Site::with_accounts(1).await.expect("a server");
    let listener = TcpListener::bind((LOCALHOST, 0)).await.expect("a free port");
    let (_one, stream) = connection(&listener).await;
    let (_other, bound) = connection(&listener).await;
    let whole =
        size_of_val(&net::serve(site.server().clone(), Arrival::plain(stream, LOCALHOST), false, None));

    let _client = site.sign_in(0, "desk").await.expect("it signs in");
    let core = site.server().core.clone();
    let session = core.router.all().remove(0);
    let conn = Conn::new(transport::Transport::Plain(bound), Framing::stream(Limits::authenticated()));
    let mut connection = Connection::new(conn, core, session, VecDeque::new());
    let run = size_of_val(&connection) + size_of_val(&connection.run());
    println!("the task of a connection: {whole} bytes, bound: {run}");
    assert!(run <= BOUND_FUTURE, "the future of a bound connection has {run} bytes");
    assert!(whole <= WHOLE_FUTURE, "the future of a connection has {whole} bytes");
}
