//! Browsers that subscribe to Web Push, and the push service of all of them, in memory: it answers as it is told, and
//! keeps what is posted for the browser to decrypt (RFC 8030, RFC 8291).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use parking_lot::Mutex;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{self, ECDH_P256, EphemeralPrivateKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::SystemRandom;
use ring::signature::{self, ECDSA_P256_SHA256_FIXED};
use rookery::http::client::{Dial, Line};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;

/// The push service's host.
const HOST: &str = "push.example";

/// What a test shares as its secret.
const AUTH: [u8; 16] = *b"0123456789abcdef";

/// How the push service answers from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With this status, and perhaps with `Retry-After`.
    Status {
        /// `201`
        status: u16,
        /// Seconds.
        after: Option<String>,
    },
    /// Not at all.
    Hangs,
}

/// One request to the push service.
#[derive(Clone, Debug)]
pub struct Post {
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The message.
    pub body: Vec<u8>,
}

/// All browsers and their push service; clones share them.
#[derive(Clone, Default)]
pub struct Browsers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    posted: Notify,
}

struct State {
    /// The keys of subscriptions, each good for one message.
    keys: BTreeMap<String, (EphemeralPrivateKey, Vec<u8>)>,
    posts: BTreeMap<String, VecDeque<Post>>,
    answer: Answer,
}

impl Default for State {
    fn default() -> State {
        let answer = Answer::Status { status: 201, after: None };
        State { keys: BTreeMap::new(), posts: BTreeMap::new(), answer }
    }
}

impl Browsers {
    /// A subscription with new keys: its endpoint, its key and its secret, as a browser tells them.
    pub fn subscription(&self, name: &str) -> Result<[(&'static str, String); 3]> {
        let key = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new());
        let key = key.map_err(|_| anyhow!("no key"))?;
        let public = key.compute_public_key().map_err(|_| anyhow!("no key"))?.as_ref().to_vec();
        let told = BASE64.encode(&public);
        self.0.state.lock().keys.insert(name.to_owned(), (key, public));
        let endpoint = format!("https://{HOST}/{name}");
        Ok([("endpoint", endpoint), ("p256dh", told), ("auth", BASE64.encode(AUTH))])
    }

    /// How the push service answers from now on.
    pub fn set_answer(&self, answer: Answer) {
        self.0.state.lock().answer = answer;
    }

    /// Connections to the push service.
    pub fn dial(&self) -> Dial {
        let browsers = self.clone();
        Arc::new(move |_| {
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            tokio::spawn(browsers.clone().serve(theirs));
            Box::pin(async { Ok(Line::new(ours)) })
        })
    }

    /// The next message for a subscription, when it comes.
    pub async fn post(&self, name: &str) -> Result<Post> {
        loop {
            let posted = self.0.posted.notified();
            let next = self.0.state.lock().posts.get_mut(name).and_then(VecDeque::pop_front);
            match next {
                Some(post) => return Ok(post),
                None => posted.await,
            }
        }
    }

    /// Nothing was posted to a subscription that was not looked at.
    pub fn expect_no_post(&self, name: &str) -> Result<()> {
        let waiting = self.0.state.lock().posts.get(name).map_or(0, VecDeque::len);
        ensure!(waiting == 0, "{waiting} messages were posted to {name}");
        Ok(())
    }

    /// The next message for a subscription is well made, and says this. It takes the subscription's keys.
    pub async fn is_told(&self, name: &str, expected: &str) -> Result<()> {
        let post = self.post(name).await?;
        let header = |name: &str| post.headers.get(name).map(String::as_str).unwrap_or_default();
        ensure!(header("content-encoding") == "aes128gcm", "it is not encrypted as RFC 8291 wants it");
        ensure!(header("ttl").parse::<u32>().is_ok_and(|ttl| ttl > 0), "RFC 8030 §5.2: it has no TTL");
        ensure!(matches!(header("urgency"), "normal" | "high"), "RFC 8030 §5.3: it has no urgency");
        ensure!(header("topic").len() <= 32, "RFC 8030 §5.4: its topic is too long");
        check_signature(header("authorization"))?;
        let keys = self.0.state.lock().keys.remove(name);
        let (key, public) = keys.with_context(|| format!("{name} has used its keys: it needs new ones"))?;
        let told: Value = serde_json::from_slice(&decrypt(&post.body, key, &public)?)?;
        let mut expected: Value = serde_json::from_str(expected).context("what is expected is no JSON")?;
        // When it came and the like.
        if let Some(expected) = expected.as_object_mut() {
            expected.insert("at".to_owned(), told["at"].clone());
        }
        ensure!(told == expected, "it is told {told}, not {expected}");
        Ok(())
    }

    async fn serve(self, mut line: DuplexStream) {
        while let Some((path, post)) = read(&mut line).await {
            let answer = {
                let mut state = self.0.state.lock();
                state.posts.entry(path).or_default().push_back(post);
                state.answer.clone()
            };
            self.0.posted.notify_waiters();
            let Answer::Status { status, after } = answer else { return std::future::pending().await };
            let after = after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
            let head = format!("HTTP/1.1 {status} So\r\n{after}Content-Length: 0\r\n\r\n");
            if line.write_all(head.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// One request: the name of the subscription, and the rest.
async fn read(line: &mut DuplexStream) -> Option<(String, Post)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(line.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    line.read_exact(&mut body).await.ok()?;
    Some((path, Post { headers, body }))
}

/// RFC 8292 §2: signed for this push service, by the key that it names.
fn check_signature(authorization: &str) -> Result<()> {
    let (token, key) = authorization
        .strip_prefix("vapid t=")
        .and_then(|rest| rest.split_once(", k="))
        .with_context(|| format!("it is not signed: {authorization}"))?;
    let (signed, by) = token.rsplit_once('.').context("no signature")?;
    let key = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, BASE64.decode(key)?);
    key.verify(signed.as_bytes(), &BASE64.decode(by)?).map_err(|_| anyhow!("the signature is wrong"))?;
    let claims = signed.split_once('.').context("no claims")?.1;
    let claims: Value = serde_json::from_slice(&BASE64.decode(claims)?)?;
    ensure!(claims["aud"] == format!("https://{HOST}"), "it is signed for another: {claims}");
    Ok(())
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(prk: &Prk, info: &[&[u8]], out: &mut [u8]) -> Result<()> {
    let okm = prk.expand(info, Bytes(out.len())).map_err(|_| anyhow!("no key"))?;
    okm.fill(out).map_err(|_| anyhow!("no key"))
}

/// RFC 8188 §2, RFC 8291 §3.4, as the browser does it.
fn decrypt(message: &[u8], key: EphemeralPrivateKey, public: &[u8]) -> Result<Vec<u8>> {
    let (salt, rest) = message.split_at_checked(16).context("no salt")?;
    let (_, rest) = rest.split_at_checked(4).context("no record size")?;
    let (length, rest) = rest.split_first().context("no key")?;
    let (theirs, record) = rest.split_at_checked(usize::from(*length)).context("no key")?;
    let peer = agreement::UnparsedPublicKey::new(&ECDH_P256, theirs);
    let keys = agree_ephemeral(key, &peer, |shared| -> Result<_> {
        let (mut material, mut key, mut nonce) = ([0; 32], [0; 16], [0; 12]);
        derive(
            &Salt::new(HKDF_SHA256, &AUTH).extract(shared),
            &[b"WebPush: info\0", public, theirs],
            &mut material,
        )?;
        let prk = Salt::new(HKDF_SHA256, salt).extract(&material);
        derive(&prk, &[b"Content-Encoding: aes128gcm\0"], &mut key)?;
        derive(&prk, &[b"Content-Encoding: nonce\0"], &mut nonce)?;
        Ok((key, nonce))
    });
    let (key, nonce) = keys.map_err(|_| anyhow!("the keys do not agree"))??;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).map_err(|_| anyhow!("no key"))?);
    let mut record = record.to_vec();
    let opened = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record);
    let opened = opened.map_err(|_| anyhow!("it cannot be decrypted"))?;
    match opened.iter().rposition(|byte| *byte != 0) {
        Some(end) if opened[end] == 2 => Ok(opened[..end].to_vec()),
        _ => bail!("RFC 8188 §2: no end of the last record"),
    }
}
