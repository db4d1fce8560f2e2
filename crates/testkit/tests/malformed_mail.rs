//! Mails that are badly made, of many kinds: none of them stops anything, and none is lost. Each comes by SMTP, stands in the
//! conversation, and is read again by IMAP as it came.

use rookery_proto::{Uid, Useq};
use rookery_testkit::server::{TestOptions, TestServer};
use std::net::{IpAddr, Ipv4Addr};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A word that a person must find in the message, or in a file of it, however broken the mail is around it.
const WORD: &str = "Wherefore";

/// What is wrong, and the mail; `LF` stands for line ends.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let mut put = |name, text: &str| all.push((name, text.replace('\n', "\r\n").into_bytes()));
    boundaries(&mut put);
    encodings(&mut put);
    headers(&mut put);
    all.extend(bytes());
    all.extend(large());
    all
}

/// Parts that are not where their container says.
fn boundaries(put: &mut impl FnMut(&'static str, &str)) {
    let mixed = |parameters: &str, body: &str| {
        format!("From: a@b.org\nContent-Type: multipart/mixed{parameters}\n\n{body}")
    };
    let part = "--x\nContent-Type: text/plain\n\nWherefore\n";
    put("no boundary is said", &mixed("", part));
    put("the boundary is empty", &mixed("; boundary=\"\"", "--\n\nWherefore\n----\n"));
    put("the boundary is another", &mixed("; boundary=y", part));
    put("the boundary is never closed", &mixed("; boundary=x", part));
    put("the boundary closes twice", &mixed("; boundary=x", &format!("{part}--x--\n--x--\n")));
    put("the boundary closes before it opens", &mixed("; boundary=x", &format!("--x--\n{part}--x--\n")));
    put("the boundary has a space behind it", &mixed("; boundary=x", "--x \t\n\nWherefore\n--x-- \n"));
    put("the boundary is quoted and is not ended", &mixed("; boundary=\"x", &format!("{part}--x--\n")));
    put("the boundary is very long", &{
        let long = "x".repeat(3_000);
        mixed(&format!("; boundary={long}"), &format!("--{long}\n\nWherefore\n--{long}--\n"))
    });
    put(
        "one boundary begins as the other",
        &mixed(
            "; boundary=x",
            "--x\nContent-Type: multipart/mixed; boundary=xx\n\n--xx\n\nWherefore\n--xx--\n--x--\n",
        ),
    );
    put(
        "both containers have the same boundary",
        &mixed(
            "; boundary=x",
            "--x\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nWherefore\n--x--\n--x--\n",
        ),
    );
    put("the boundary is folded", &mixed(";\n boundary=\n x", &format!("{part}--x--\n")));
    put("the boundary is said twice", &mixed("; boundary=y; boundary=x", part));
    put(
        "the text stands before the first part",
        &mixed("; boundary=x", "Wherefore\n--x\n\nWherefore\n--x--\n"),
    );
    put(
        "the parts have no empty line",
        &mixed("; boundary=x", "--x\nWherefore\n--x--\n\n--x\n\nWherefore\n--x--\n"),
    );
    put("nothing is in it but the end", &mixed("; boundary=x", "--x--\nWherefore\n"));
    put(
        "a container without a subtype",
        "From: a@b.org\nContent-Type: multipart; boundary=x\n\n--x\n\nWherefore\n--x--\n",
    );
    put(
        "a digest of mails",
        &mixed(
            "; boundary=x",
            "--x\nContent-Type: multipart/digest; boundary=y\n\n--y\n\nFrom: c@d\n\nWherefore\n--y--\n--x--\n",
        ),
    );
    put(
        "a report of nothing",
        "From: a@b.org\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\nWherefore\n--x\nContent-Type: message/delivery-status\n\nAction failed\n: :\n\n\n--x--\n",
    );
}

/// Bytes that are not written as they say.
fn encodings(put: &mut impl FnMut(&'static str, &str)) {
    let text = |fields: &str, body: &str| format!("From: a@b.org\n{fields}\n\n{body}\n");
    put("base64 of nothing", &text("Subject: Wherefore\nContent-Transfer-Encoding: base64", "===="));
    put("base64 without its end", &text("Content-Transfer-Encoding: base64", "V2hlcmVmb3Jl"));
    put("base64 with too much", &text("Content-Transfer-Encoding: base64", "V2hlcmVmb3JlIA==V2hlcmVmb3Jl"));
    put(
        "base64 with other letters",
        &text("Subject: Wherefore\nContent-Transfer-Encoding: base64", "V2hl*cmVm~b3Jl"),
    );
    put(
        "base64 that is plain text",
        &text("Subject: Wherefore\nContent-Transfer-Encoding: base64", "Wherefore art thou?"),
    );
    put(
        "quoted-printable that breaks off",
        &text("Content-Transfer-Encoding: quoted-printable", "Wherefore=\n=4\n=GG=\n="),
    );
    put(
        "quoted-printable in small letters",
        &text("Content-Transfer-Encoding: quoted-printable", "=57herefore =c3=bc=3d"),
    );
    put("an encoding that nobody knows", &text("Content-Transfer-Encoding: x-secret", "Wherefore"));
    put(
        "an encoding of a container",
        "From: a@b.org\nContent-Transfer-Encoding: base64\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nWherefore\n--x--\n",
    );
    put("uuencoded text", &text("Content-Transfer-Encoding: x-uuencode", "begin 644 x\nWherefore\n`\nend"));
    put("a charset that nobody knows", &text("Content-Type: text/plain; charset=nowhere", "Wherefore"));
    put("a charset that is empty", &text("Content-Type: text/plain; charset=", "Wherefore"));
    put(
        "a charset with quotes in it",
        &text("Content-Type: text/plain; charset=\"'\\\"utf-8\"", "Wherefore"),
    );
    put(
        "UTF-7, which hides markup",
        &text("Content-Type: text/plain; charset=utf-7", "Wherefore +ADw-script+AD4-"),
    );
    put("UTF-16 that is none", &text("Subject: Wherefore\nContent-Type: text/plain; charset=utf-16", "odd"));
    put("a type that is none", &text("Content-Type: ///;;;=;\"", "Wherefore"));
    put("a type without a subtype", &text("Content-Type: text", "Wherefore"));
    put("a type said twice", &text("Content-Type: text/plain\nContent-Type: text/html", "Wherefore"));
    put("HTML that is never closed", &text("Content-Type: text/html", "<p><b><i <script>Wherefore<a href='"));
    put(
        "HTML with entities that are none",
        &text("Content-Type: text/html", "<p>Wherefore &#x110000; &#xD800; &nosuch; &#99999999999;</p>"),
    );
}

/// Fields that are not as fields are.
fn headers(put: &mut impl FnMut(&'static str, &str)) {
    let text = |fields: &str| format!("From: a@b.org\n{fields}\n\nWherefore\n");
    put("no From", "To: a@b.org\n\nWherefore\n");
    put("no header", "\nWherefore\n");
    put("no empty line", "From: a@b.org\nSubject: Wherefore\n");
    put("a field without a colon", &text("Nonsense\nSubject: x"));
    put("a field without a name", &text(": x"));
    put("a header that begins with a folded line", " folded\nFrom: a@b.org\n\nWherefore\n");
    put(
        "encoded words that break off",
        &text("Subject: =?utf-8?q?=FF?= =?utf-8?b?====?= =?x?y?z?= =?utf-8?q?"),
    );
    put("an encoded word within an encoded word", &text("Subject: =?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?="));
    put("an encoded word with line ends", &text("Subject: =?utf-8?q?a=0D=0ABcc:_x@y?="));
    put(
        "parameters in pieces that are missing",
        &text("Content-Type: text/plain; name*0*=utf-8''%FF; name*9=x; name*1*=%"),
    );
    put(
        "parameters in pieces in the wrong order",
        &text("Content-Type: text/plain; name*2=c; name*0=a; name*1=b"),
    );
    put(
        "a parameter in a language that is none",
        &text("Content-Disposition: attachment; filename*=x'y'z'%00%2F..%2F"),
    );
    put(
        "a file with folders in its name",
        &text("Content-Disposition: attachment; filename=\"../../etc/passwd\""),
    );
    put(
        "a file with control characters in its name",
        &text("Content-Disposition: attachment; filename=\"a\\\u{1b}[0m\u{202e}gpj.exe\""),
    );
    put("addresses that are none", "From: <<<>>>, , x:;, \"\n\nWherefore\n");
    put("comments that nest and never end", "From: a@b.org (((((((((\n\nWherefore\n");
    put("groups within groups", "From: a: b: c: d@e;;;\n\nWherefore\n");
    put("routes before an address", "From: <@x,@y:a@b.org>\n\nWherefore\n");
    put(
        "a Message-ID with spaces",
        &text("Message-ID: <<<>>> <a b>\nReferences: x y <z\nIn-Reply-To: \"a\" <b> (c"),
    );
    put("a date that never was", &text("Date: Fri, 99 Foo 99999 99:99:99 +9999"));
    put("a version that is none", &text("MIME-Version: (none) x.y"));
    put("two of everything", &text("From: c@d.org\nTo: x\nTo: y\nSubject: a\nSubject: b\nDate: x\nDate: y"));
    put(
        "a signature that is none",
        &text("DKIM-Signature: v=1; a=; b=; bh=; d=; s=; h=\nARC-Seal: i=99\nAuthentication-Results: ;;;"),
    );
}

/// Bytes that are no text.
fn bytes() -> Vec<(&'static str, Vec<u8>)> {
    let head = b"From: a@b.org\r\nSubject: ";
    let mail = |subject: &[u8], body: &[u8]| [head, subject, b"\r\n\r\n", body, b" Wherefore\r\n"].concat();
    vec![
        ("NUL everywhere", mail(b"a\0b", b"\0\0")),
        ("eight bits in a header", mail(b"\xfc\xdf\xff", b"")),
        ("UTF-8 in a header", mail("Grüße".as_bytes(), b"")),
        ("UTF-8 that breaks off", mail(b"\xe2\x82", b"\xf0\x9f\x98")),
        ("control characters", mail(b"\x01\x1b[31m\x7f", b"\x08\x0b\x0c\x1a")),
        ("noncharacters", mail("\u{fffe}\u{ffff}".as_bytes(), "\u{fffe}\u{10ffff}".as_bytes())),
        ("a byte order mark", [b"\xef\xbb\xbf".as_slice(), head, b"x\r\n\r\nWherefore\r\n"].concat()),
        ("every byte that there is, but ends of lines", mail(b"x", &every())),
    ]
}

/// What SMTP lets through (RFC 5321 §2.3.8).
fn every() -> Vec<u8> {
    (0..=255).filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

/// Much of something.
fn large() -> Vec<(&'static str, Vec<u8>)> {
    let lines = |text: String| text.replace('\n', "\r\n").into_bytes();
    let nested = |kind: &str, count: usize| {
        (0..count).fold(String::from("From: a@b.org\nSubject: Wherefore\n"), |mail, at| {
            format!("{mail}Content-Type: multipart/{kind}; boundary=b{at}\n\n--b{at}\n")
        })
    };
    let wrapped = "From: a@b.org\nSubject: Wherefore\nContent-Type: message/rfc822\n\n".repeat(300);
    let parts = "--x\nContent-Type: application/pdf\n\nx\n".repeat(3_000);
    let many = format!(
        "From: a@b.org\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nWherefore\n{parts}--x--\n"
    );
    let parameters: String = (0..5_000).map(|at| format!(";\n n{at}=v")).collect();
    let pieces: String = (0..5_000).map(|at| format!(";\n name*{at}=v")).collect();
    let field = |name: &str, value: &str| lines(format!("From: a@b.org\n{name}: {value}\n\nWherefore\n"));
    vec![
        ("containers in containers", lines(nested("mixed", 500))),
        ("alternatives in alternatives", lines(nested("alternative", 500))),
        ("mails in mails", lines(wrapped)),
        ("thousands of parts", lines(many)),
        ("thousands of parameters", field("Content-Type", &format!("text/plain{parameters}"))),
        ("thousands of pieces of one parameter", field("Content-Type", &format!("text/plain{pieces}"))),
        ("thousands of fields", lines(format!("From: a@b.org\n{}\nWherefore\n", "X: y\n".repeat(20_000)))),
        ("thousands of addresses", field("To", &"a@b.org, ".repeat(20_000))),
        ("thousands of references", field("References", &"<a@b.org> ".repeat(20_000))),
        ("a field of half a megabyte", field("Subject", &"x".repeat(500_000))),
        ("a field of encoded words", field("Subject", &"=?utf-8?q?=C3=BC?= ".repeat(20_000))),
        ("a field that is folded a thousand times", field("Subject", &"x\n ".repeat(1_000))),
        ("comments in comments", field("Subject", &"(".repeat(50_000))),
        ("quotation marks", lines(format!("From: {}a@b.org\n\nWherefore\n", "\"".repeat(50_001)))),
        (
            "elements in elements",
            lines(format!("From: a@b.org\nContent-Type: text/html\n\n{}Wherefore\n", "<div>".repeat(20_000))),
        ),
    ]
}

struct Line(BufReader<DuplexStream>);

impl Line {
    async fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the other side listens");
    }

    /// The next line, without its end.
    async fn hear(&mut self) -> String {
        let mut line = Vec::new();
        let count = self.0.read_until(b'\n', &mut line).await.expect("the other side speaks");
        assert!(count > 0, "the connection ended");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    /// Hears up to a line that begins so.
    async fn until(&mut self, begin: &str) -> String {
        loop {
            let line = self.hear().await;
            if line.starts_with(begin) {
                return line;
            }
        }
    }

    /// What a program is told of an item of a mail that comes as a literal (RFC 9051 §4.3).
    async fn literal(&mut self) -> Vec<u8> {
        let line = self.hear().await;
        let size = line.rsplit_once('{').and_then(|(_, size)| size.strip_suffix('}')).expect("a literal");
        let mut bytes = vec![0; size.parse().expect("a number")];
        self.0.read_exact(&mut bytes).await.expect("all of it");
        bytes
    }
}

#[tokio::test]
async fn what_is_badly_made_is_read_and_not_lost() {
    let settings = [("mail".to_owned(), "on".to_owned())].into();
    let server =
        TestServer::start(TestOptions { settings, ..TestOptions::default() }).await.expect("a server");
    let romeo = Uid(server.create_account("romeo", "secret").await.expect("an account"));
    let mut reader = Line(BufReader::new(server.connect_imap_from(HERE).expect("a place")));
    reader.say(b"a LOGIN romeo secret\r\n").await;
    reader.until("a OK").await;
    let mut bringer = Line(BufReader::new(server.connect_mail_from(FAR).expect("a place")));
    bringer.say(b"HELO b.org\r\n").await;
    bringer.until("250 ").await;
    let mut lost = Vec::new();
    for (at, (name, mail)) in corpus().into_iter().enumerate() {
        bringer.say(b"MAIL FROM:<a@b.org>\r\nRCPT TO:<romeo@localhost>\r\n").await;
        bringer.say(format!("BDAT {} LAST\r\n", mail.len()).as_bytes()).await;
        bringer.say(&mail).await;
        for _ in 0..2 {
            bringer.until("250 ").await;
        }
        let reply = bringer.hear().await;
        assert!(reply.starts_with("250 2.0.0"), "{name}: {reply}");

        let said = server.core().store.events_after(romeo, Useq(at as u64), 1).await.expect("the log");
        let message = String::from_utf8(said[0].stanza.to_vec()).expect("text");
        // What is in a file of its own is not lost either: its address stands in the message. Nor is HTML that says of itself that there
        // is more to see.
        if ![WORD, "<file-sharing", "more='true'"].iter().any(|sign| message.contains(sign)) {
            lost.push(format!("{name}: {message}"));
        }

        let number = at + 1;
        reader.say(format!("b{number} NOOP\r\nc{number} EXAMINE INBOX\r\n").as_bytes()).await;
        reader.until(&format!("c{number} OK")).await;
        let items = "(ENVELOPE BODYSTRUCTURE BODY.PEEK[1.1.MIME] BODY.PEEK[HEADER.FIELDS (SUBJECT)])";
        reader.say(format!("d{number} FETCH {number} {items}\r\n").as_bytes()).await;
        reader.until(&format!("d{number} OK")).await;
        reader.say(format!("e{number} FETCH {number} BODY.PEEK[]\r\n").as_bytes()).await;
        let whole = reader.literal().await;
        assert!(whole.ends_with(&mail), "{name}: a program would read another mail");
        reader.until(&format!("e{number} OK")).await;
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
