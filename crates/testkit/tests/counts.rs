//! What a sign-in and a message cost in things that can be counted: allocations, reads and writes of the transport (over a
//! socket each is a system call), queries and transactions of the store.
//!
//! None of them depends on the machine's mood, so they are asserted; a bound is a little above what was measured when it was
//! set. The clients are in the same process and allocate next to nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use rookery::net::{self, Arrival};
use rookery_testkit::measure::{Site, Wire};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// What something may cost, each of its kind, in the mean.
struct Bound {
    allocations: f64,
    reads: f64,
    writes: f64,
    queries: f64,
    /// Jobs of the store's writer; many share a transaction where many are there at a time.
    jobs: f64,
}

/// PLAIN, bind, roster, presence, of an account that was not here lately: stream header, `<auth/>`, header, three requests,
/// and an answer to each.
const SIGN_IN: Bound = Bound { allocations: 234.0, reads: 6.0, writes: 6.0, queries: 10.0, jobs: 0.0 };

/// From one to another, both sides archived: read once, written once.
const MESSAGE: Bound = Bound { allocations: 39.0, reads: 1.0, writes: 1.0, queries: 0.0, jobs: 1.0 };

/// The same, and the sender asks for an acknowledgement (XEP-0198), which is written by itself.
const ACKNOWLEDGED: Bound = Bound { allocations: 47.0, reads: 1.0, writes: 2.0, queries: 0.0, jobs: 1.0 };

/// What each further device of the recipient adds (XEP-0280).
const CARBON: Bound = Bound { allocations: 12.0, reads: 0.0, writes: 1.0, queries: 0.0, jobs: 0.0 };

/// A change of presence, for each contact that sees it.
const PRESENCE: Bound = Bound { allocations: 5.7, reads: 0.0, writes: 1.0, queries: 0.0, jobs: 0.0 };

/// Times that each is done, and times before that, which fill caches.
const TIMES: u64 = 200;
const WARM_UP: u64 = 40;

/// Devices and contacts.
const MANY: u64 = 8;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static READS: AtomicU64 = AtomicU64::new(0);
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Counts allocations.
struct Counting;

// SAFETY: everything is left to the system's allocator; calls are only counted.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The server's end of a connection. What does not get anything done is not counted: a socket's readiness is known before.
struct Counted(DuplexStream);

fn count<T>(counter: &AtomicU64, polled: Poll<T>) -> Poll<T> {
    counter.fetch_add(u64::from(polled.is_ready()), Relaxed);
    polled
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        count(&READS, Pin::new(&mut self.0).poll_read(cx, buf))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        count(&WRITES, Pin::new(&mut self.0).poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// The counters at one moment.
#[derive(Clone, Copy)]
struct Counts([u64; 5]);

impl Counts {
    fn of(site: &Site) -> Counts {
        let store = site.server().core.store.stats();
        let [allocations, reads, writes] =
            [&ALLOCATIONS, &READS, &WRITES].map(|counter| counter.load(Relaxed));
        Counts([allocations, reads, writes, store.reads, store.jobs])
    }

    /// What has come since then, for one of `times`, beside the bound.
    fn check(self, site: &Site, what: &str, times: u64, bound: &Bound) {
        let now = Counts::of(site);
        let bounds = [bound.allocations, bound.reads, bound.writes, bound.queries, bound.jobs];
        let names = ["allocations", "reads", "writes", "queries", "jobs"];
        let each: Vec<_> =
            now.0.iter().zip(self.0).map(|(now, then)| (now - then) as f64 / times as f64).collect();
        let shown: Vec<_> = names.iter().zip(&each).map(|(name, each)| format!("{each:.1} {name}")).collect();
        println!("{what}: {}", shown.join(", "));
        for ((name, each), bound) in names.iter().zip(each).zip(bounds) {
            // Half a thing of slack: what happens once in a while, such as a table that grows.
            assert!(each <= bound + 0.5, "{what} costs {each:.2} {name}, more than {bound}");
        }
    }
}

/// A client, not yet signed in.
fn connect(site: &Site) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    tokio::spawn(net::serve(site.server().clone(), Arrival::plain(Counted(theirs), LOCALHOST), false, None));
    ours
}

const PRESENCE_STANZA: &str = "<presence><priority>0</priority></presence>";

/// Signs in, and is available with its roster.
async fn sign_in(site: &Site, index: usize, resource: &str) -> Wire<DuplexStream> {
    let mut wire = Wire::new(connect(site));
    wire.sign_in(&site.user(index), resource).await.expect("it signs in");
    wire.ask("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "</iq>")
        .await
        .expect("a roster");
    wire.ask(PRESENCE_STANZA, "</presence>").await.expect("it is available");
    wire
}

fn message(to: &str) -> String {
    let body = "The quick brown fox jumps over the lazy dog. ".repeat(2);
    format!(
        "<message to='{to}' type='chat' id='0f5ab1c5-51f6-4dd0-8b95-2f0e6ac4dc11'><body>{body}</body></message>"
    )
}

async fn a_sign_in() {
    let all = WARM_UP + TIMES;
    let site = Site::with_accounts(all as usize).await.expect("a server");
    let mut clients = Vec::with_capacity(all as usize);
    for index in 0..WARM_UP {
        clients.push(sign_in(&site, index as usize, "desk").await);
    }
    let before = Counts::of(&site);
    for index in WARM_UP..all {
        clients.push(sign_in(&site, index as usize, "desk").await);
    }
    before.check(&site, "a sign-in", TIMES, &SIGN_IN);
}

async fn a_message() {
    let site = Site::with_accounts(2).await.expect("a server");
    let mut from = sign_in(&site, 0, "desk").await;
    let mut to = sign_in(&site, 1, "desk").await;
    let message = message(&site.address(1)).into_bytes();
    let mut before = Counts::of(&site);
    for turn in 0..WARM_UP + TIMES {
        if turn == WARM_UP {
            before = Counts::of(&site);
        }
        from.send(&message).await.expect("the server reads");
        to.read(b"</message>", 1).await.expect("it arrives");
    }
    before.check(&site, "a message", TIMES, &MESSAGE);

    from.manage().await.expect("it is managed");
    let acknowledged = [&message[..], b"<r xmlns='urn:xmpp:sm:3'/>"].concat();
    for turn in 0..WARM_UP + TIMES {
        if turn == WARM_UP {
            before = Counts::of(&site);
        }
        from.send(&acknowledged).await.expect("the server reads");
        from.read(b"<a ", 1).await.expect("it is acknowledged");
        to.read(b"</message>", 1).await.expect("it arrives");
    }
    before.check(&site, "an acknowledged message", TIMES, &ACKNOWLEDGED);
}

/// What `many` cost beyond `few`.
async fn a_carbon_copy() {
    let site = Site::with_accounts(2).await.expect("a server");
    let mut from = sign_in(&site, 0, "desk").await;
    let mut devices = Vec::new();
    for n in 0..=MANY {
        let mut wire = sign_in(&site, 1, &format!("device{n}")).await;
        let enable = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
        wire.ask(enable, "id='c'").await.expect("it gets copies");
        devices.push(wire);
    }
    for wire in &mut devices {
        wire.ping().await.expect("it has seen the others");
    }
    let message = message(&format!("{}/device0", site.address(1))).into_bytes();
    let copy: &[u8] = b"</message></forwarded></received></message>";
    let mut before = Counts::of(&site);
    for turn in 0..WARM_UP + TIMES {
        if turn == WARM_UP {
            before = Counts::of(&site);
        }
        from.send(&message).await.expect("the server reads");
        for (n, wire) in devices.iter_mut().enumerate() {
            wire.read(if n == 0 { b"</message>" } else { copy }, 1).await.expect("it arrives");
        }
    }
    let whole = Bound {
        allocations: MESSAGE.allocations + MANY as f64 * CARBON.allocations,
        reads: MESSAGE.reads,
        writes: MESSAGE.writes + MANY as f64 * CARBON.writes,
        queries: MESSAGE.queries,
        jobs: MESSAGE.jobs,
    };
    before.check(&site, "a message with eight copies", TIMES, &whole);
}

async fn a_change_of_presence() {
    let site = Site::with_accounts(1 + MANY as usize).await.expect("a server");
    let friends: Vec<_> = (1..=MANY as usize).map(|n| (0, n)).collect();
    site.befriend(&friends).await.expect("they are friends");
    let mut from = sign_in(&site, 0, "desk").await;
    let mut contacts = Vec::new();
    for n in 1..=MANY as usize {
        contacts.push(sign_in(&site, n, "desk").await);
    }
    for wire in contacts.iter_mut().chain([&mut from]) {
        wire.ping().await.expect("it has seen the others");
    }
    let presence = b"<presence><show>away</show><status>At lunch</status></presence>";
    let mut before = Counts::of(&site);
    for turn in 0..WARM_UP + TIMES {
        if turn == WARM_UP {
            before = Counts::of(&site);
        }
        from.send(presence).await.expect("the server reads");
        for wire in contacts.iter_mut().chain([&mut from]) {
            wire.read(b"</presence>", 1).await.expect("it arrives");
        }
    }
    let seen = MANY as f64 + 1.0;
    let whole = Bound {
        allocations: seen * PRESENCE.allocations,
        reads: 1.0,
        writes: seen * PRESENCE.writes,
        queries: 1.0,
        jobs: 0.0,
    };
    before.check(&site, "presence to eight contacts", TIMES, &whole);
}

/// One after the other: what is counted is of the whole process.
#[tokio::test]
async fn what_things_cost() {
    a_sign_in().await;
    a_message().await;
    a_carbon_copy().await;
    a_change_of_presence().await;
}
