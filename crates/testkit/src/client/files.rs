//! Uploads (XEP-0363): a slot by XMPP, the bytes by HTTP.

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Client, Transport, escape};
use crate::ns;

/// A slot, as paths on the server.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Where the file is put.
    pub put: String,
    /// Where it is then.
    pub get: String,
    /// The same with the host, as it is given to others.
    pub url: String,
}

impl Client {
    /// Asks for a slot; `inside` is what stands in the request.
    pub async fn slot(&mut self, name: &str, size: usize, kind: &str, inside: &str) -> Result<Slot> {
        let payload = format!(
            "<request xmlns='{}' filename='{}' size='{size}' content-type='{kind}'>{inside}</request>",
            ns::HTTP_UPLOAD,
            escape(name)
        );
        let to = self.domain().to_owned();
        let answer = self.iq("get", Some(&to), &payload).await?;
        let slot = answer.get_child("slot", ns::HTTP_UPLOAD).context("no slot")?;
        let url = |name| {
            let child = slot.get_child(name, ns::HTTP_UPLOAD).context("no address")?;
            child.attr("url").map(str::to_owned).context("no address")
        };
        let path = |url: &str| -> Result<String> {
            let rest = url.split_once("://").context("no address")?.1;
            Ok(rest[rest.find('/').context("no path")?..].to_owned())
        };
        let (put, url) = (url("put")?, url("get")?);
        Ok(Slot { put: path(&put)?, get: path(&url)?, url })
    }
}

/// What HTTP answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// The lines of the head.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answered {
    /// The value of a header; `name` in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Writes a request with these header lines over a connection of its own, and reads the answer to its end.
pub async fn request(
    connection: impl Transport,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> Result<Answered> {
    let length = if body.is_empty() && method != "PUT" {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}{headers}\r\n"
    );
    ask(connection, &[head.as_bytes(), body].concat()).await
}

/// Writes these bytes over a connection of its own, and reads the answer to its end.
pub async fn ask(mut connection: impl Transport, bytes: &[u8]) -> Result<Answered> {
    // It may be refused before it is read, and answered before it is written.
    let (mut reader, mut writer) = tokio::io::split(&mut connection);
    let write = async {
        writer.write_all(bytes).await.ok();
        std::future::pending::<()>().await
    };
    let mut answer = Vec::new();
    tokio::select! {
        read = reader.read_to_end(&mut answer) => read.map(|_| ()).or_else(|error| match answer.is_empty() {
            true => Err(error),
            false => Ok(()),
        })?,
        () = write => {}
    }
    let end = memchr::memmem::find(&answer, b"\r\n\r\n").context("no answer")?;
    let head = String::from_utf8(answer[..end].to_vec())?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    Ok(Answered { status, head, body: answer.split_off(end + 4) })
}
