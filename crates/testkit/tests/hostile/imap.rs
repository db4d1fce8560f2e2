//! Mail programs that do not behave: nonsense in every state, literals that are too large, readers that do not read, and more of
//! them than there are places.

use rookery_testkit::server::{TestOptions, TestServer};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

async fn server(tls: bool) -> TestServer {
    let settings = [("mail".to_owned(), "on".to_owned())].into();
    let server = TestServer::start(TestOptions { settings, tls, ..TestOptions::default() }).await.unwrap();
    server.create_account("romeo", "secret").await.unwrap();
    server
}

struct Program<S>(BufReader<S>);

impl<S: AsyncReadExt + AsyncWriteExt + Unpin> Program<S> {
    /// Says this, and hears up to a line that begins so.
    async fn says(&mut self, said: &str, until: &str) -> String {
        self.0.write_all(said.as_bytes()).await.unwrap();
        let mut heard = String::new();
        loop {
            let mut line = Vec::new();
            if self.0.read_until(b'\n', &mut line).await.unwrap() == 0 {
                panic!("the connection ended, and not with {until}: {heard}");
            }
            let line = String::from_utf8_lossy(&line);
            heard.push_str(&line);
            if line.starts_with(until) {
                return heard;
            }
        }
    }
}

async fn signed_in(server: &TestServer) -> Program<DuplexStream> {
    let mut program = Program(BufReader::new(server.connect_imap_from(HERE).unwrap()));
    program.says("a LOGIN romeo secret\r\n", "a OK").await;
    program
}

#[tokio::test]
async fn a_program_goes_into_tls_and_signs_in() {
    let server = server(true).await;
    let mut program = Program(BufReader::new(server.connect_imap_from(FAR).unwrap()));
    program.says("a LOGIN romeo secret\r\n", "a NO [PRIVACYREQUIRED]").await;
    program.says("b STARTTLS\r\n", "b OK").await;
    let name = ServerName::try_from("localhost").unwrap();
    let tls =
        TlsConnector::from(server.trust().unwrap()).connect(name, program.0.into_inner()).await.unwrap();
    let mut program = Program(BufReader::new(tls));
    let heard = program.says("c CAPABILITY\r\n", "c OK").await;
    assert!(heard.contains("AUTH=PLAIN") && !heard.contains("STARTTLS"), "{heard}");
    program.says("d LOGIN romeo secret\r\n", "d OK").await;
}

/// RFC 9051 §6.2.1: a command that somebody put in between before the handshake is not taken for the program's in TLS.
#[tokio::test]
async fn what_stands_before_the_handshake_is_not_taken_for_what_comes_after() {
    let server = server(true).await;
    let mut program = Program(BufReader::new(server.connect_imap_from(FAR).unwrap()));
    program.says("a STARTTLS\r\nb NOOP\r\n", "a OK").await;
    let mut rest = Vec::new();
    program.0.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn literals_are_asked_for_only_where_there_is_room() {
    let server = server(false).await;
    let mut program = Program(BufReader::new(server.connect_imap_from(HERE).unwrap()));
    program.says("a LOGIN {9000}\r\n", "a BAD [TOOBIG]").await;
    program.says("b APPEND INBOX {9000}\r\n", "b BAD [TOOBIG]").await;
    program.says("c LOGIN {5}\r\n", "+ ").await;
    program.says("romeo {6}\r\n", "+ ").await;
    program.says("secret\r\n", "c OK").await;
    program.says("d APPEND INBOX {1000001}\r\n", "d BAD [TOOBIG]").await;
    program.says("e APPEND INBOX {4}\r\n", "+ ").await;
    program.says("A: bjunk\r\n", "e BAD").await;
    program.says("f APPEND INBOX {6}\r\n", "+ ").await;
    let heard = program.says("A: b\r\n\r\n", "f OK [APPENDUID ").await;
    program.says("g SELECT INBOX\r\n", "g OK").await;
    let heard = heard + &program.says("h FETCH 1 (RFC822.SIZE BODY[])\r\n", "h OK").await;
    assert!(heard.contains("RFC822.SIZE 6 BODY[] {6}\r\nA: b\r\n"), "{heard}");
}

/// Nothing that is said stops anything: the connection answers, or ends with a word.
#[tokio::test]
async fn nonsense_is_answered_in_every_state() {
    let server = server(false).await;
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = move |sides: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice % sides as u64) as usize
    };
    let words = [
        "FETCH",
        "UID",
        "STORE",
        "SEARCH",
        "COPY",
        "MOVE",
        "LIST",
        "STATUS",
        "SELECT",
        "INBOX",
        "Trash",
        "1:*",
        "*",
        "1",
        "0",
        "4294967295",
        "(",
        ")",
        "((((",
        "\"",
        "\\",
        "\\Seen",
        "+FLAGS",
        "BODY[",
        "]",
        "BODY[]<0.1>",
        "BODY[1.2.MIME]",
        "BODYSTRUCTURE",
        "ENVELOPE",
        "ALL",
        "NOT",
        "OR",
        "RETURN",
        "(ALL)",
        "$",
        "CHARSET",
        "TEXT",
        "x",
        "%",
        "{3+}\r\nabc",
        "{0+}\r\n",
        "~{1+}\r\n\0",
        "é",
        "\0",
        "&-",
        "&AAA-",
        "APPEND",
        "{9+}\r\nA: b\r\n\r\nc",
        "EXPUNGE",
        "CLOSE",
        "ENABLE",
        "IMAP4rev2",
        "CONDSTORE",
        "(CHANGEDSINCE 1)",
        "MODSEQ",
        "CREATE",
        "DELETE",
        "RENAME",
        "a/b/c",
        "IDLE",
        "DONE",
        "NOOP",
        "SUBSCRIBE",
        "LSUB",
        "GETQUOTAROOT",
        "\"\"",
        "KEYWORD",
        "SINCE",
        "1-Feb-1994",
        "HEADER",
        "BINARY[1]",
    ];
    for round in 0..60 {
        let mut program = Program(BufReader::new(server.connect_imap_from(HERE).unwrap()));
        let mut said = Vec::new();
        let state = round % 4;
        if state > 0 {
            said.extend_from_slice(b"s1 LOGIN romeo secret\r\n");
        }
        if state > 1 {
            said.extend_from_slice(b"s2 APPEND INBOX {43+}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\r\ns3 SELECT INBOX\r\n");
        }
        for _ in 0..25 {
            said.extend_from_slice(b"t ");
            for _ in 0..1 + roll(6) {
                said.extend_from_slice(words[roll(words.len())].as_bytes());
                if roll(8) > 0 {
                    said.push(b' ');
                }
            }
            if state == 3 && roll(3) == 0 {
                let at = roll(said.len());
                said[at] = roll(256) as u8;
            }
            said.extend_from_slice(b"\r\n");
        }
        let mut heard = Vec::new();
        let (mut read, mut write) = tokio::io::split(program.0.get_mut());
        let speaking = async {
            write.write_all(&said).await.ok();
            write.shutdown().await.ok();
        };
        let hearing = read.read_to_end(&mut heard);
        let (_, ended) = tokio::join!(speaking, hearing);
        ended.unwrap();
        assert!(heard.starts_with(b"* OK "), "round {round}");
    }
    let mut program = signed_in(&server).await;
    program.says("z LIST \"\" INBOX\r\n", "z OK").await;
}

/// Who asks for much and reads nothing costs what fits into its line, and is cut off.
#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_cut_off() {
    let server = server(false).await;
    let mut program = signed_in(&server).await;
    let mail = format!("A: b\r\n\r\n{}", "x".repeat(500_000));
    program.says(&format!("b APPEND INBOX {{{}+}}\r\n{mail}\r\n", mail.len()), "b OK").await;
    program.says("c SELECT INBOX\r\n", "c OK").await;
    let (mut read, mut write) = tokio::io::split(program.0.into_inner());
    let flood = tokio::spawn(async move {
        // As soon as nobody reads any more this stays, or fails.
        while write.write_all(b"d FETCH 1 BODY.PEEK[]\r\n").await.is_ok() {}
    });
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let mut heard = Vec::new();
    read.read_to_end(&mut heard).await.unwrap();
    assert!(heard.len() < 2 << 20, "{} bytes waited", heard.len());
    flood.await.unwrap();
}

#[tokio::test]
async fn an_account_has_so_many_programs() {
    let server = server(false).await;
    let mut programs = Vec::new();
    for _ in 0..rookery_gateway::mail::imap::limits::CONNECTIONS_PER_ACCOUNT {
        programs.push(signed_in(&server).await);
    }
    let mut more = Program(BufReader::new(server.connect_imap_from(HERE).unwrap()));
    more.says("a LOGIN romeo secret\r\n", "a NO [LIMIT]").await;
    let mut one = programs.pop().unwrap();
    one.says("z LOGOUT\r\n", "z OK").await;
    let mut rest = Vec::new();
    one.0.read_to_end(&mut rest).await.unwrap();
    more.says("b LOGIN romeo secret\r\n", "b OK").await;
}
