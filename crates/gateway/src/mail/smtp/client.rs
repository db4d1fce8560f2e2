//! Mail goes out by SMTP (RFC 5321): one mail to one recipient, over a connection that somebody else has made.

use super::wire::Carrier;
use crate::mail::limits;
use data_encoding::BASE64;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Whether the connection is to be protected, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// From its first byte on (RFC 8314 §3.3).
    Direct,
    /// By STARTTLS, or not at all.
    Required,
    /// By STARTTLS where the other side offers it.
    Offered,
}

/// The mail server that everything goes to.
#[derive(Clone, PartialEq, Eq)]
pub struct Smarthost {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// Name and password there, if it wants any.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for Smarthost {
    // Secrets are not for the log (invariant 10).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smarthost({}:{}, {:?})", self.host, self.port, self.protection)
    }
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody was there who could be spoken to, so nobody has it: another host may be tried.
    Unreached(String),
    /// Not at the moment.
    Later(String),
    /// All was said, and no answer came: the other side may have it.
    Unknown(String),
    /// Never (RFC 5321 §4.2.1: 5yz).
    Never(String),
}

/// A mail as it is handed on.
pub(crate) struct Outgoing<'a> {
    pub(crate) sender: &'a str,
    pub(crate) recipient: &'a str,
    /// What reports are to call it (RFC 3461 §4.4): letters and digits; empty: nothing.
    pub(crate) envelope: &'a str,
    /// Whether its delivery is to be reported, too.
    pub(crate) receipt: bool,
    pub(crate) data: &'a [u8],
}

/// How long an answer may take: the longest that RFC 5321 §4.5.3.2 gives one, after the dot.
const ANSWER: Duration = Duration::from_secs(600);

fn gone(error: io::Error) -> Failure {
    Failure::Later(format!("The connection broke: {error}"))
}

pub(crate) struct Line {
    io: Box<dyn Carrier>,
    read: Vec<u8>,
}

/// A reply: its code, and its lines without it.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// The reply for people, in one line.
    fn text(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" "))
    }

    /// An error unless the code begins with this digit.
    fn expect(self, class: u16) -> Result<Reply, Failure> {
        match self.code / 100 {
            found if found == class => Ok(self),
            5 => Err(Failure::Never(self.text())),
            _ => Err(Failure::Later(self.text())),
        }
    }

    /// The same where a refusal says nothing of this mail.
    fn expect_of_peer(self, class: u16) -> Result<Reply, Failure> {
        let text = self.text();
        self.expect(class).map_err(|_| Failure::Later(text))
    }
}

impl Line {
    async fn say(&mut self, text: &str) -> Result<(), Failure> {
        let text = format!("{text}\r\n");
        self.send(text.as_bytes()).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        let sent = tokio::time::timeout(ANSWER, sent).await;
        sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(gone)
    }

    /// The next reply (RFC 5321 §4.2.1), of bounded size.
    async fn reply(&mut self) -> Result<Reply, Failure> {
        let reply = tokio::time::timeout(ANSWER, self.read_reply()).await;
        reply.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(gone)
    }

    async fn read_reply(&mut self) -> io::Result<Reply> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let mut lines = Vec::new();
        let mut size = 0;
        loop {
            let line = self.read_line().await?;
            size += line.len();
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok()).ok_or_else(invalid)?;
            if size > limits::REPLY || !(200..600).contains(&code) {
                return Err(invalid());
            }
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
    }

    async fn read_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.read) {
                let rest = self.read.split_off(end + 1);
                let line = std::mem::replace(&mut self.read, rest);
                let text = String::from_utf8_lossy(&line);
                return Ok(text.trim_end().chars().filter(|c| !c.is_control()).collect());
            }
            if self.read.len() > limits::REPLY {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut chunk = [0; 1024];
            match self.io.read(&mut chunk).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.read.extend_from_slice(&chunk[..count]),
            }
        }
    }

    async fn start_tls(self, host: &str, tls: Arc<ClientConfig>) -> Result<Line, Failure> {
        let later =
            |error: &dyn std::fmt::Display| Failure::Later(format!("{host} is not reached by TLS: {error}"));
        // RFC 3207 §5: what came after the answer and before the handshake is nobody's word.
        if !self.read.is_empty() {
            return Err(later(&"it spoke before its turn"));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| later(&error))?;
        let handshake = TlsConnector::from(tls).connect(name, self.io);
        let handshake = tokio::time::timeout(limits::HANDSHAKE, handshake).await;
        let io = handshake
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| later(&error))?;
        Ok(Line { io: Box::new(io), read: Vec::new() })
    }

    /// Greets; what the other side can (§4.1.1.1).
    async fn greet(&mut self, hostname: &str) -> Result<Vec<String>, Failure> {
        self.say(&format!("EHLO {hostname}")).await?;
        let reply = self.reply().await?.expect_of_peer(2)?;
        Ok(reply.lines.into_iter().skip(1).map(|line| line.to_ascii_uppercase()).collect())
    }
}

fn offers(extensions: &[String], name: &str) -> bool {
    extensions.iter().any(|line| line.split(' ').next() == Some(name))
}

/// Hands a mail on. The connection ends with it.
pub(crate) async fn deliver((mut line, extensions): Open, mail: &Outgoing<'_>) -> Result<(), Failure> {
    hand_over(&mut line, &extensions, mail).await?;
    line.say("QUIT").await.ok();
    Ok(())
}

/// A connection over which a mail can be handed on, and what the other side can.
pub(crate) type Open = (Line, Vec<String>);

/// As far as the first mail; who cannot be spoken to so far has nothing of it.
pub(crate) async fn open(
    io: Box<dyn Carrier>,
    smarthost: &Smarthost,
    hostname: &str,
    tls: Arc<ClientConfig>,
) -> Result<Open, Failure> {
    begin(io, smarthost, hostname, tls).await.map_err(|failure| match failure {
        Failure::Unreached(why) | Failure::Later(why) | Failure::Unknown(why) | Failure::Never(why) => {
            Failure::Unreached(why)
        }
    })
}

async fn begin(
    io: Box<dyn Carrier>,
    smarthost: &Smarthost,
    hostname: &str,
    tls: Arc<ClientConfig>,
) -> Result<Open, Failure> {
    let mut line = Line { io, read: Vec::new() };
    let direct = smarthost.protection == Protection::Direct;
    if direct {
        line = line.start_tls(&smarthost.host, tls.clone()).await?;
    }
    line.reply().await?.expect_of_peer(2)?;
    let mut extensions = line.greet(hostname).await?;
    let mut protected = direct;
    if !protected && offers(&extensions, "STARTTLS") {
        line.say("STARTTLS").await?;
        line.reply().await?.expect_of_peer(2)?;
        line = line.start_tls(&smarthost.host, tls).await?;
        // RFC 3207 §4.2: what was known before is forgotten.
        extensions = line.greet(hostname).await?;
        protected = true;
    }
    if !protected && smarthost.protection != Protection::Offered {
        return Err(Failure::Later(format!("{} offers no TLS", smarthost.host)));
    }
    if let Some((name, password)) = &smarthost.login {
        // RFC 4616.
        let word = BASE64.encode(format!("\0{name}\0{password}").as_bytes());
        line.say(&format!("AUTH PLAIN {word}")).await?;
        line.reply().await?.expect_of_peer(2)?;
    }
    Ok((line, extensions))
}

async fn hand_over(line: &mut Line, extensions: &[String], mail: &Outgoing<'_>) -> Result<(), Failure> {
    let end = memchr::memmem::find(mail.data, b"\r\n\r\n").unwrap_or(mail.data.len());
    let (head, body) = mail.data.split_at(end);
    let foreign = !mail.sender.is_ascii() || !mail.recipient.is_ascii() || !head.is_ascii();
    if foreign && !offers(extensions, "SMTPUTF8") {
        // RFC 6531 §3.5.
        return Err(Failure::Never("550 5.6.7 The other server takes no mail with such letters".into()));
    }
    if !body.is_ascii() && !offers(extensions, "8BITMIME") {
        // RFC 6152 §3: written anew its signature would be broken, and nobody lacks this any more.
        return Err(Failure::Never("554 5.6.3 The other server takes no mail of eight bits".into()));
    }
    let mut from = format!("MAIL FROM:<{}>", mail.sender);
    if !body.is_ascii() {
        from.push_str(" BODY=8BITMIME");
    }
    if offers(extensions, "SIZE") {
        from.push_str(&format!(" SIZE={}", mail.data.len()));
    }
    if foreign {
        from.push_str(" SMTPUTF8");
    }
    let mut to = format!("RCPT TO:<{}>", mail.recipient);
    if offers(extensions, "DSN") && !mail.envelope.is_empty() {
        // RFC 3461 §4.1, §4.3, §4.4. Without ORCPT: what we say and what they hear is the same address.
        from.push_str(&format!(" RET=HDRS ENVID={}", mail.envelope));
        to.push_str(if mail.receipt { " NOTIFY=SUCCESS,FAILURE,DELAY" } else { " NOTIFY=FAILURE,DELAY" });
    }
    line.say(&from).await?;
    line.reply().await?.expect(2)?;
    line.say(&to).await?;
    line.reply().await?.expect(2)?;
    line.say("DATA").await?;
    line.reply().await?.expect(3)?;
    let unknown = |failure| match failure {
        Failure::Later(why) => Failure::Unknown(why),
        failure => failure,
    };
    line.send(&stuffed(mail.data)).await.map_err(unknown)?;
    line.reply().await.map_err(unknown)?.expect(2)?;
    Ok(())
}

/// RFC 5321 §4.5.2: a dot before each dot that begins a line, CR LF at each end of a line, and the dot alone.
fn stuffed(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + data.len() / 64 + 5);
    let mut lines = data.split(|byte| *byte == b'\n').peekable();
    while let Some(text) = lines.next() {
        let last = lines.peek().is_none();
        if last && text.is_empty() {
            break;
        }
        if text.first() == Some(&b'.') {
            out.push(b'.');
        }
        // §2.3.8: no CR but before an LF.
        out.extend(text.iter().filter(|byte| **byte != b'\r'));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_stuffed_and_lines_end_as_they_must() {
        for (data, sent) in [
            ("", ".\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".\r\n..\r\n", "..\r\n...\r\n.\r\n"),
            ("a\n.\nb\r.\r\n", "a\r\n..\r\nb.\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8(stuffed(data.as_bytes())).expect("text"), sent, "{data:?}");
        }
    }
}
