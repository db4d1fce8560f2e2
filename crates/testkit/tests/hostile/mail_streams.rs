//! What mail servers and mail programs may say, in every state, cut up and mixed anew by a seed: nothing of it panics, and whoever comes
//! next is served. `ROOKERY_MAIL_STREAMS` is how many streams there are; the seed of one that breaks something is told.

use rookery_testkit::server::{TestOptions, TestServer};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Streams in a short round.
const STREAMS: u64 = 300;

/// Streams between two looks whether the server still does its work.
const BETWEEN: u64 = 50;

/// How long a server that waits for more is listened to.
const PATIENCE: Duration = Duration::from_millis(50);

/// What brings a connection of SMTP into each of its states, and what can be said there.
const SMTP: &[&str] = &[
    "EHLO a.example\r\n",
    "HELO a\r\n",
    "AUTH PLAIN AHJvbWVvAHNlY3JldA==\r\n",
    "AUTH LOGIN\r\n",
    "cm9tZW8=\r\n",
    "*\r\n",
    "MAIL FROM:<romeo@localhost> SIZE=100 BODY=8BITMIME SMTPUTF8\r\n",
    "MAIL FROM:<>\r\n",
    "RCPT TO:<romeo@localhost>\r\n",
    "RCPT TO:<juliet@verona.example> NOTIFY=NEVER ORCPT=rfc822;x\r\n",
    "DATA\r\n",
    "From: romeo@localhost\r\nSubject: x\r\n\r\nHi\r\n.\r\n",
    "..\r\n.\r\n",
    "BDAT 5\r\nFrom:",
    "BDAT 18 LAST\r\n romeo@localhost\r\n",
    "BDAT 0 LAST\r\n",
    "BDAT 99999999999999999999\r\n",
    "STARTTLS\r\n",
    "NOOP\r\n",
    "RSET\r\n",
    "VRFY romeo\r\n",
    "EXPN x\r\n",
    "HELP\r\n",
    "\r\n",
];

/// The same of IMAP.
const IMAP: &[&str] = &[
    "a LOGIN romeo secret\r\n",
    "a AUTHENTICATE PLAIN AHJvbWVvAHNlY3JldA==\r\n",
    "a CAPABILITY\r\n",
    "a ENABLE IMAP4rev2 CONDSTORE\r\n",
    "a SELECT INBOX\r\n",
    "a EXAMINE Drafts (CONDSTORE)\r\n",
    "a APPEND Drafts (\\Draft) {26+}\r\nSubject: x\r\n\r\nHi there\r\n\r\n",
    "a APPEND Drafts {99999999999}\r\n",
    "a FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[1.2.HEADER.FIELDS (X)]<0.9>)\r\n",
    "a UID FETCH *:1 ALL\r\n",
    "a STORE 1 +FLAGS.SILENT (\\Seen $x)\r\n",
    "a SEARCH RETURN (MIN MAX COUNT ALL) OR NOT SEEN (TEXT {3+}\r\nabc SINCE 1-Feb-2024)\r\n",
    "a COPY 1:* Archive\r\n",
    "a UID MOVE 1 Trash\r\n",
    "a CREATE a/b/c\r\n",
    "a RENAME a z\r\n",
    "a DELETE z\r\n",
    "a LIST (SPECIAL-USE) \"\" (* %) RETURN (STATUS (MESSAGES UNSEEN))\r\n",
    "a STATUS INBOX (UIDNEXT SIZE)\r\n",
    "a IDLE\r\n",
    "DONE\r\n",
    "a EXPUNGE\r\n",
    "a UID EXPUNGE 1:*\r\n",
    "a CLOSE\r\n",
    "a GETQUOTAROOT INBOX\r\n",
    "a ID (\"name\" NIL)\r\n",
    "a NOOP\r\n",
    "\r\n",
];

/// Bytes that mean something to somebody.
const BYTES: &[u8] = b"\0\r\n \"\\(){}[]<>*%@:;.,+-=~09azAZ\x7f\x80\xff";

/// xorshift: the same stream for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    /// Mostly what is said in order, with steps left out, repeated and put elsewhere; then some of its bytes are others.
    fn stream(&mut self, words: &[&str]) -> Vec<u8> {
        let mut stream = Vec::new();
        let mut at = 0;
        for _ in 0..3 + self.below(20) {
            at = if self.below(3) == 0 { self.below(words.len()) } else { (at + 1) % words.len() };
            stream.extend_from_slice(words[at].as_bytes());
        }
        for _ in 0..self.below(6) {
            let place = self.below(stream.len());
            match self.below(4) {
                0 => stream[place] = BYTES[self.below(BYTES.len())],
                1 => stream.insert(place, BYTES[self.below(BYTES.len())]),
                2 => drop(stream.drain(place..(place + 1 + self.below(8)).min(stream.len()))),
                _ => {
                    let byte = stream[place];
                    let many = vec![byte; self.below(5_000)];
                    stream.splice(place..place, many);
                }
            }
        }
        stream
    }
}

/// Says all of it, by pieces, and hears what comes until nothing does.
async fn say(mut line: DuplexStream, stream: &[u8], step: usize) -> Vec<u8> {
    let mut heard = Vec::new();
    let talk = async {
        for piece in stream.chunks(step) {
            if line.write_all(piece).await.is_err() {
                break;
            }
        }
        line.read_to_end(&mut heard).await.ok();
    };
    // Some wait for more, and some let guesses wait: both are left alone.
    tokio::time::timeout(PATIENCE, talk).await.ok();
    heard
}

/// A mail comes in, one is handed in, and somebody reads.
async fn serves(server: &TestServer, seed: u64) {
    let peer = IpAddr::V4(Ipv4Addr::new(198, 51, 100, (seed % 250) as u8));
    // Nobody has guessed at her password.
    for (line, said, end) in [
        (
            server.connect_mail_from(peer),
            "HELO x\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<romeo@localhost>\r\nDATA\r\nFrom: a@b.org\r\n\r\nHi\r\n.\r\nQUIT\r\n",
            "250 2.0.0",
        ),
        (
            server.connect_submission_from(HERE),
            "EHLO x\r\nAUTH PLAIN AGp1bGlldABzZWNyZXQ=\r\nQUIT\r\n",
            "235 ",
        ),
        (server.connect_imap_from(HERE), "a LOGIN juliet secret\r\nb SELECT INBOX\r\nc LOGOUT\r\n", "b OK"),
    ] {
        let mut line = line.unwrap_or_else(|| panic!("no place after seed {seed}"));
        line.write_all(said.as_bytes()).await.expect("somebody listens");
        let mut heard = Vec::new();
        line.read_to_end(&mut heard).await.expect("somebody answers");
        let heard = String::from_utf8_lossy(&heard);
        assert!(heard.lines().any(|line| line.starts_with(end)), "after seed {seed}, no {end} in {heard}");
    }
}

#[tokio::test]
async fn nothing_that_is_said_breaks_a_mail_door() {
    let panics = Arc::new(AtomicUsize::new(0));
    let (counted, usual) = (panics.clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if info.location().is_some_and(|it| it.file().contains("gateway")) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        usual(info);
    }));
    let settings = [("mail".to_owned(), "on".to_owned())].into();
    let server =
        TestServer::start(TestOptions { settings, ..TestOptions::default() }).await.expect("a server");
    for name in ["romeo", "juliet"] {
        server.create_account(name, "secret").await.expect("an account");
    }
    let streams = std::env::var("ROOKERY_MAIL_STREAMS").ok().and_then(|text| text.parse().ok());
    for seed in 1..=streams.unwrap_or(STREAMS) {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // Each comes from an address of its own, so that what one has spent is not missing to the next.
        let peer = IpAddr::V4(Ipv4Addr::from(0xc633_0000 + seed as u32 % 0xffff));
        let near = IpAddr::V4(Ipv4Addr::from(0x7f01_0000 + seed as u32 % 0xffff));
        let (line, words) = match seed % 3 {
            0 => (server.connect_mail_from(peer), SMTP),
            1 => (server.connect_submission_from(near), SMTP),
            _ => (server.connect_imap_from(near), IMAP),
        };
        let stream = dice.stream(words);
        let step = 1 + dice.below(stream.len());
        say(line.unwrap_or_else(|| panic!("no place for seed {seed}")), &stream, step).await;
        assert_eq!(panics.load(Ordering::Relaxed), 0, "seed {seed}: {:?}", String::from_utf8_lossy(&stream));
        if seed % BETWEEN == 0 {
            serves(&server, seed).await;
        }
    }
}
