//! What a signed-in client costs that does nothing: the size of its task, and its bytes on the heap.
//!
//! Both are counts that do not depend on the machine's mood, so they are asserted; a bound is a little above what was
//! measured when it was set. Bytes are as asked for: the allocator rounds them up by some 10 %.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rookery::http::listener::Http;
use rookery::http::{Settings, Web};
use rookery::net::connection::Connection;
use rookery::net::framing::Framing;
use rookery::net::listener::Admission;
use rookery::net::transport::{Conn, Transport};
use rookery::net::{self, Arrival};
use rookery_proto::xml::Limits;
use rookery_testkit::measure::{Site, Wire};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of a bound connection and of the future that serves it.
const BOUND_FUTURE: usize = 1_400;

/// Bytes of the future of a connection's task, from the first byte on.
const WHOLE_FUTURE: usize = 1_536;

/// Bytes on the heap of an idle session over TCP: with its task, its socket's registration, its account, its roster.
const IDLE_SESSION: usize = 5_696;

/// The same over a WebSocket without TLS.
const IDLE_WEBSOCKET: usize = 5_952;

/// Sessions that are measured, and those before them that fill caches and pools.
const SESSIONS: usize = 200;
const WARM_UP: usize = 40;

/// Contacts of each account: so many accounts before it and after it.
const NEIGHBOURS: usize = 10;

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is left to the system's allocator; only sizes are counted.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
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

/// Signs in as most clients do: stream management, roster, presence.
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
    wire.manage().await.expect("it can be resumed");
    wire.ask("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "</iq>")
        .await
        .expect("a roster");
    wire.ask("<presence><priority>5</priority></presence>", "</presence>").await.expect("it is available");
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
    let http = Http::new(Web::new(site.server().clone(), admission, Settings::default(), None, None));
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
    let conn = Conn::new(Transport::Plain(bound), Framing::stream(Limits::authenticated()));
    let mut connection = Connection::new(conn, core, session, VecDeque::new());
    let run = size_of_val(&connection) + size_of_val(&connection.run());
    println!("the task of a connection: {whole} bytes, bound: {run}");
    assert!(run <= BOUND_FUTURE, "the future of a bound connection has {run} bytes");
    assert!(whole <= WHOLE_FUTURE, "the future of a connection has {whole} bytes");
}
