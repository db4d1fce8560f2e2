//! Uploads and downloads (XEP-0363): what comes back is what was put there, and never runs; what does not fit is refused.

use anyhow::{Context, Result};
use rookery_proto::ns;
use rookery_testkit::client::{Answered, Client, Slot, ask, request};
use rookery_testkit::server::{Ending, PUBLIC_URL, StoreFault, TestOptions, TestServer};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{self, Dice, bound, run};
use crate::http;
use rookery_testkit::clock;

async fn put(server: &TestServer, slot: &Slot, headers: &str, body: &[u8]) -> Result<Answered> {
    request(server.connect_http(), "PUT", &slot.put, headers, body).await
}

async fn get(server: &TestServer, target: &str, headers: &str) -> Result<Answered> {
    request(server.connect_http(), "GET", target, headers, b"").await
}

async fn head(server: &TestServer, target: &str) -> Result<Answered> {
    request(server.connect_http(), "HEAD", target, "", b"").await
}

/// A server, romeo, and a slot for these bytes.
async fn with_slot(bytes: &[u8], kind: &str) -> Result<(TestServer, Client, Slot)> {
    let server = common::server(&[]).await?;
    let mut romeo = bound(&server, "romeo", "orchard").await?;
    let slot = romeo.slot("a file.bin", bytes.len(), kind, "").await?;
    Ok((server, romeo, slot))
}

/// Bytes that are none like the other.
fn noise(length: usize) -> Vec<u8> {
    let mut dice = Dice(7);
    (0..length).map(|_| dice.roll(256) as u8).collect()
}

#[test]
fn what_is_put_is_got() {
    run(async {
        let bytes = noise(1_000_000);
        let (server, _romeo, slot) = with_slot(&bytes, "image/jpeg").await?;
        assert!(slot.url.starts_with(PUBLIC_URL) && slot.url.ends_with("/a%20file.bin"), "{}", slot.url);
        assert_eq!(get(&server, &slot.get, "").await?.status, 404);
        let answer = put(&server, &slot, "Content-Type: image/jpeg\r\n", &bytes).await?;
        assert_eq!(answer.status, 201, "{}", answer.head);
        let answer = get(&server, &slot.get, "").await?;
        assert_eq!(answer.status, 200);
        assert!(answer.body == bytes);
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("content-length", "1000000"),
            ("content-disposition", "inline; filename=\"a file.bin\"; filename*=UTF-8''a%20file.bin"),
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
            ),
            ("access-control-allow-origin", "*"),
            ("cache-control", "private, max-age=31536000, immutable"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.head);
        }
        // On a computer that is not one's own nothing stays.
        let answer = get(&server, &format!("{}?once", slot.get), "").await?;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some("no-store")),
            "{}",
            answer.head
        );
        let answer = head(&server, &slot.get).await?;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert_eq!(answer.header("content-length"), Some("1000000"));
        Ok(())
    });
}

#[test]
fn an_empty_file_is_a_file() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"", "text/plain").await?;
        assert_eq!(put(&server, &slot, "", b"").await?.status, 201);
        let answer = get(&server, &slot.get, "").await?;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert_eq!(get(&server, &slot.get, "Range: bytes=0-\r\n").await?.status, 416);
        Ok(())
    });
}

#[test]
fn nothing_that_runs_is_shown() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let page = b"<script>alert(1)</script>";
        for kind in ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", ""] {
            let slot = romeo.slot("page.html", page.len(), kind, "").await?;
            assert_eq!(put(&server, &slot, "", page).await?.status, 201);
            let answer = get(&server, &slot.get, "").await?;
            assert_eq!(answer.header("content-type"), Some("application/octet-stream"), "{kind}");
            let saved = answer.header("content-disposition").context("it is shown")?;
            assert!(saved.starts_with("attachment;"), "{kind}: {saved}");
        }
        // Neither has another type when it is put so, nor by its address.
        let slot = romeo.slot("page.html", page.len(), "image/png", "").await?;
        assert_eq!(put(&server, &slot, "Content-Type: text/html\r\n", page).await?.status, 415);
        assert_eq!(put(&server, &slot, "Content-Type: image/png\r\n", page).await?.status, 201);
        let other = slot.get.replace("page.html", "x.html");
        assert_eq!(get(&server, &other, "").await?.header("content-type"), Some("image/png"));
        Ok(())
    });
}

#[test]
fn parts_are_given() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"0123456789", "video/mp4").await?;
        assert_eq!(put(&server, &slot, "", b"0123456789").await?.status, 201);
        for (range, status, body, said) in [
            ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
            ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
            ("bytes=-2", 206, "89", Some("bytes 8-9/10")),
            ("bytes=0-99", 206, "0123456789", Some("bytes 0-9/10")),
            ("bytes=10-", 416, "", Some("bytes */10")),
            ("bytes=0-1,4-5", 200, "0123456789", None),
            ("bytes=5-4", 200, "0123456789", None),
            ("octets=1-2", 200, "0123456789", None),
        ] {
            let answer = get(&server, &slot.get, &format!("Range: {range}\r\n")).await?;
            assert_eq!(answer.status, status, "{range}");
            assert_eq!(answer.header("content-range"), said, "{range}");
            if status != 416 {
                assert_eq!(answer.body, body.as_bytes(), "{range}");
            }
        }
        let etag = get(&server, &slot.get, "").await?.header("etag").context("no tag")?.to_owned();
        for tags in [etag.clone(), format!("\"x\", W/{etag}"), "*".to_owned()] {
            let answer = get(&server, &slot.get, &format!("If-None-Match: {tags}\r\n")).await?;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{tags}");
        }
        let answer = get(&server, &slot.get, "If-None-Match: \"x\"\r\n").await?;
        assert_eq!(answer.status, 200);
        Ok(())
    });
}

#[test]
fn only_what_was_asked_for_is_taken() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"hello", "text/plain").await?;
        let (path, key) = slot.put.split_once("?key=").context("no key")?;
        let other = format!("{path}?key={}", "a".repeat(key.len()));
        for (method, target, headers, body, expected) in [
            ("PUT", path, "", "hello", 403),
            ("PUT", &other, "", "hello", 403),
            ("PUT", &format!("{path}?key="), "", "hello", 403),
            ("HEAD", &other, "", "", 403),
            ("PUT", &slot.put, "", "hell", 400),
            ("PUT", &slot.put, "", "hello!", 413),
            ("PUT", &slot.put, "Content-Range: bytes 0-9/10\r\n", "hello", 400),
            ("PUT", &slot.put, "Content-Range: bytes 3-4/5\r\n", "lo", 409),
            ("PUT", &slot.put, "Content-Range: bytes 0-4/5\r\nContent-Range: bytes 0-4/5\r\n", "hello", 400),
            ("PUT", &slot.put, "Content-Type: text/html\r\n", "hello", 415),
            ("POST", &slot.put, "", "hello", 405),
            ("DELETE", &slot.put, "", "", 405),
            ("PUT", "/upload/x/y?key=z", "", "hello", 404),
            ("PUT", &format!("/upload/{}/y?key={key}", "a".repeat(26)), "", "hello", 403),
            ("GET", "/upload/../../secret", "", "", 404),
            ("GET", &format!("{path}/more"), "", "", 404),
            ("GET", &path.to_uppercase(), "", "", 404),
        ] {
            let answer = request(server.connect_http(), method, target, headers, body.as_bytes()).await?;
            assert_eq!(answer.status, expected, "{method} {target} {headers}");
        }
        let chunked = format!(
            "PUT {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            slot.put
        );
        assert_eq!(ask(server.connect_http(), chunked.as_bytes()).await?.status, 411);
        // All of that has spoiled nothing.
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 201);
        Ok(())
    });
}

#[test]
fn who_repeats_is_told_the_same() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"hello", "text/plain").await?;
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 201);
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 200);
        assert_eq!(put(&server, &slot, "", b"jello").await?.status, 409);
        assert_eq!(head(&server, &slot.put).await?.header("upload-offset"), Some("5"));
        assert_eq!(get(&server, &slot.get, "").await?.body, b"hello");
        Ok(())
    });
}

#[test]
fn a_broken_upload_is_repeated_or_goes_on() {
    run(async {
        let bytes = noise(600_000);
        let (server, _romeo, slot) = with_slot(&bytes, "").await?;
        // The line breaks in the middle.
        let mut line = server.connect_http();
        let start = format!("PUT {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000\r\n\r\n", slot.put);
        line.write_all(start.as_bytes()).await?;
        line.write_all(&bytes[..400_000]).await?;
        drop(line);
        let here = loop {
            let answer = head(&server, &slot.put).await?;
            let here: usize = answer.header("upload-offset").context("no offset")?.parse()?;
            // What the pipe held is taken by and by.
            if here == 400_000 {
                break here;
            }
        };
        assert_eq!(get(&server, &slot.get, "").await?.status, 404, "half a file is none");
        let range = format!("Content-Range: bytes {here}-599999/600000\r\n");
        assert_eq!(put(&server, &slot, &range, &bytes[here..]).await?.status, 201);
        assert!(get(&server, &slot.get, "").await?.body == bytes);
        Ok(())
    });
}

#[test]
fn a_new_attempt_ends_the_one_before() {
    run(async {
        let bytes = noise(100_000);
        let (server, _romeo, slot) = with_slot(&bytes, "").await?;
        // A connection that is dead, though nobody has noticed.
        let mut dead = server.connect_http();
        let start =
            format!("PUT {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nxyz", slot.put);
        dead.write_all(start.as_bytes()).await?;
        clock::settle().await;
        assert_eq!(put(&server, &slot, "", &bytes).await?.status, 201);
        assert!(get(&server, &slot.get, "").await?.body == bytes);
        let mut said = String::new();
        dead.read_to_string(&mut said).await.ok();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 409"), "{said}");
        Ok(())
    });
}

#[test]
fn the_slow_are_not_waited_for() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"hello", "").await?;
        let mut slow = server.connect_http();
        let start = format!("PUT {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhe", slot.put);
        slow.write_all(start.as_bytes()).await?;
        clock::settle().await;
        // The upload is under way when it is known how much of it is here.
        while head(&server, &slot.put).await?.status != 200 {}
        let mut said = String::new();
        let reading = slow.read_to_string(&mut said);
        tokio::pin!(reading);
        loop {
            tokio::select! {
                biased;
                _ = &mut reading => break,
                () = clock::pass(Duration::from_secs(5)) => {}
            }
        }
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 201);
        Ok(())
    });
}

#[test]
fn a_slot_is_good_for_an_hour() {
    run(async {
        let (server, mut romeo, slot) = with_slot(b"hello", "").await?;
        clock::pass(Duration::from_secs(3_601)).await;
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 410);
        assert_eq!(head(&server, &slot.put).await?.status, 404);
        let slot = romeo.slot("a", 5, "", "").await?;
        clock::pass(Duration::from_secs(3_500)).await;
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 201);
        Ok(())
    });
}

#[test]
fn a_slot_survives_a_restart() {
    run(async {
        let (mut server, _romeo, slot) = with_slot(b"hello", "").await?;
        server.restart(Ending::Killed).await?;
        assert_eq!(head(&server, &slot.put).await?.header("upload-offset"), Some("0"));
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 201);
        server.restart(Ending::Killed).await?;
        assert_eq!(get(&server, &slot.get, "").await?.body, b"hello");
        Ok(())
    });
}

#[test]
fn a_store_that_fails_is_no_success() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"hello", "").await?;
        server.set_store_fault(Some(StoreFault::Fails));
        let answer = put(&server, &slot, "", b"hello").await?;
        assert_eq!(answer.status, 503);
        assert!(answer.header("retry-after").is_some());
        server.set_store_fault(Some(StoreFault::Full));
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 507);
        server.set_store_fault(None);
        assert_eq!(get(&server, &slot.get, "").await?.status, 404);
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 201);
        assert_eq!(get(&server, &slot.get, "").await?.body, b"hello");
        Ok(())
    });
}

#[test]
fn pages_of_all_sites_may_upload() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"hello", "").await?;
        let origin = "Origin: https://web.example\r\n";
        let asked = format!("{origin}Access-Control-Request-Method: PUT\r\n");
        let answer = request(server.connect_http(), "OPTIONS", &slot.put, &asked, b"").await?;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET, HEAD, PUT, OPTIONS"));
        let answer = put(&server, &slot, origin, b"hello").await?;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        Ok(())
    });
}

#[test]
fn same_bytes_are_stored_once() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let mut juliet = bound(&server, "juliet", "balcony").await?;
        let one = romeo.slot("a.txt", 5, "text/plain", "").await?;
        let two = juliet.slot("b.txt", 5, "text/plain", "").await?;
        assert_eq!(put(&server, &one, "", b"hello").await?.status, 201);
        assert_eq!(put(&server, &two, "", b"hello").await?.status, 201);
        assert_ne!(one.get, two.get);
        assert_eq!(server.core().store.stored_files().await?.files, 1);
        assert_eq!(get(&server, &two.get, "").await?.body, b"hello");
        Ok(())
    });
}

#[test]
fn without_uploads_there_is_no_address_for_them() {
    run(async {
        let settings = [("files".to_owned(), "off".to_owned())].into();
        let server = TestServer::start(TestOptions { settings, ..TestOptions::default() }).await?;
        let target = format!("/upload/{}/x", "a".repeat(26));
        assert_eq!(get(&server, &target, "").await?.status, 404);
        Ok(())
    });
}

/// Romeo shares a file with juliet.
async fn shared(server: &TestServer, romeo: &mut Client, slot: &Slot, bytes: &[u8]) -> Result<()> {
    assert_eq!(put(server, slot, "", bytes).await?.status, 201);
    let message =
        format!("<message to='juliet@localhost' type='chat' id='m1'><body>{}</body></message>", slot.url);
    romeo.send_raw(&message).await?;
    romeo.barrier().await?;
    Ok(())
}

/// So many days go by at once; who is connected is missed by the server.
async fn days(count: u64) {
    tokio::time::advance(Duration::from_secs(count * 86_400)).await;
    clock::settle().await;
}

/// What is to be removed has been, and its bytes are erased.
async fn swept(server: &TestServer) -> Result<()> {
    let files = server.files().context("there are no files")?;
    while server.core().store.stored_files().await?.files > 0 {
        files.sweep().await?;
    }
    Ok(())
}

#[test]
fn a_file_goes_when_its_message_is_taken_back() {
    run(async {
        let (server, mut romeo, slot) = with_slot(b"hello", "text/plain").await?;
        shared(&server, &mut romeo, &slot, b"hello").await?;
        drop(romeo);
        days(90).await;
        assert_eq!(get(&server, &slot.get, "").await?.status, 200, "it is named");
        let mut romeo = bound(&server, "romeo", "garden").await?;
        let taken_back = "<message to='juliet@localhost' type='chat' id='m2'><body>taken back</body>\
                          <retract xmlns='urn:xmpp:message-retract:1' id='m1'/></message>";
        romeo.send_raw(taken_back).await?;
        romeo.barrier().await?;
        assert_eq!(get(&server, &slot.get, "").await?.status, 404, "at once");
        swept(&server).await
    });
}

#[test]
fn a_file_that_nobody_names_goes_in_its_time() {
    run(async {
        let (server, _romeo, slot) = with_slot(b"hello", "text/plain").await?;
        assert_eq!(put(&server, &slot, "", b"hello").await?.status, 201);
        days(29).await;
        assert_eq!(get(&server, &slot.get, "").await?.status, 200);
        days(1).await;
        assert_eq!(get(&server, &slot.get, "").await?.status, 404);
        swept(&server).await
    });
}

#[test]
fn files_go_with_old_messages() {
    run(async {
        let server = common::server(&[("retention_days", "7")]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let slot = romeo.slot("a", 5, "", "").await?;
        shared(&server, &mut romeo, &slot, b"hello").await?;
        days(6).await;
        assert_eq!(get(&server, &slot.get, "").await?.status, 200);
        days(2).await;
        // The sweeper of messages has come by when their file is gone.
        while get(&server, &slot.get, "").await?.status == 200 {
            clock::pass(Duration::from_secs(15)).await;
        }
        swept(&server).await
    });
}

/// The archive that the owner gets by the link.
async fn export(server: &TestServer, owner: &mut Client) -> Result<Vec<u8>> {
    let link = http::export_link(owner).await?;
    let answer = get(server, &link, "").await?;
    assert_eq!(answer.status, 200);
    Ok(answer.body)
}

#[test]
fn an_export_has_the_files() {
    run(async {
        let bytes = noise(300_000);
        let (server, mut romeo, slot) = with_slot(&bytes, "image/jpeg").await?;
        shared(&server, &mut romeo, &slot, &bytes).await?;
        let has = |archive: &[u8], what: &[u8]| memchr::memmem::find(archive, what).is_some();
        let archive = export(&server, &mut romeo).await?;
        assert!(has(&archive, b"files/1-a file.bin") && has(&archive, &bytes), "as they are, and as a whole");
        // What is lost keeps nobody from the rest.
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::remove_file(server.data().join("files").join(&hash[..2]).join(&hash[2..]))?;
        let archive = export(&server, &mut romeo).await?;
        assert!(has(&archive, b"files/1-a file.bin.missing.txt") && has(&archive, b"index.html"));
        Ok(())
    });
}

#[test]
fn files_go_with_their_account() {
    run(async {
        let (server, mut romeo, slot) = with_slot(b"hello", "text/plain").await?;
        shared(&server, &mut romeo, &slot, b"hello").await?;
        server.delete_account("romeo").await?;
        assert_eq!(get(&server, &slot.get, "").await?.status, 404);
        swept(&server).await
    });
}

#[test]
fn ephemeral_files_go_after_a_day_and_pictures_of_profiles_stay() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let purpose = |name: &str| format!("<{name} xmlns='urn:xmpp:http:upload:purpose:0'/>");
        let story = romeo.slot("a", 5, "", &purpose("ephemeral")).await?;
        let face = romeo.slot("b", 6, "", &purpose("profile")).await?;
        shared(&server, &mut romeo, &story, b"hello").await?;
        assert_eq!(put(&server, &face, "", b"hello!").await?.status, 201);
        days(1).await;
        assert_eq!(get(&server, &story.get, "").await?.status, 404);
        days(40).await;
        assert_eq!(get(&server, &face.get, "").await?.status, 200);
        Ok(())
    });
}

/// One white point.
const PICTURE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

#[test]
fn pictures_have_small_copies() {
    run(async {
        let (server, mut romeo, slot) = with_slot(PICTURE, "image/gif").await?;
        let ask = format!("<info xmlns='https://rookery.im/file' url='{}'/>", slot.url);
        let unknown = romeo.iq("get", Some("localhost"), &ask).await;
        assert!(unknown.is_err_and(|error| error.to_string().contains("item-not-found")));
        assert_eq!(put(&server, &slot, "", PICTURE).await?.status, 201);
        let answer = romeo.iq("get", Some("localhost"), &ask).await?;
        let file = answer
            .get_child("info", ns::FILE_INFO)
            .and_then(|info| info.get_child("file", ns::FILE_METADATA));
        let file = file.context("no metadata")?;
        let text = |name: &str| file.get_child(name, ns::FILE_METADATA).map(|child| child.text());
        let said =
            ["media-type", "name", "size", "width", "height"].map(|name| text(name).unwrap_or_default());
        assert_eq!(said, ["image/gif", "a file.bin", "43", "1", "1"]);
        let hash = file.get_child("hash", ns::HASHES).context("no hash")?;
        assert_eq!((hash.attr("algo"), hash.text().len()), (Some("sha-256"), 44));
        let small = file.get_child("thumbnail", ns::THUMBS).context("no thumbnail")?;
        assert_eq!(small.attr("uri"), Some(format!("{}?thumbnail", slot.url).as_str()));
        assert_eq!(small.attr("media-type"), Some("image/jpeg"));
        for _ in 0..2 {
            let answer = get(&server, &format!("{}?thumbnail", slot.get), "").await?;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), Some("image/jpeg"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert!(answer.body.starts_with(&[0xff, 0xd8, 0xff]));
        }
        Ok(())
    });
}

#[test]
fn what_is_no_picture_has_no_small_copy() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        // It says that it is a picture; its head is one's, and nothing follows.
        let half = &PICTURE[..20];
        for (kind, bytes) in [("image/png", &b"hello"[..]), ("text/plain", PICTURE), ("image/gif", half)] {
            let slot = romeo.slot("a", bytes.len(), kind, "").await?;
            assert_eq!(put(&server, &slot, "", bytes).await?.status, 201);
            for _ in 0..2 {
                assert_eq!(get(&server, &format!("{}?thumbnail", slot.get), "").await?.status, 404, "{kind}");
            }
            assert_eq!(get(&server, &slot.get, "").await?.body, bytes);
        }
        Ok(())
    });
}

/// A recording of one packet of 20 ms, as WebM: a track of Opus, a cluster, a block.
fn recording() -> Vec<u8> {
    let element = |id: &[u8], content: &[u8]| [id, &[0x40, content.len() as u8], content].concat();
    let head = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0";
    let track = [element(&[0xd7], &[1]), element(&[0x86], b"A_OPUS"), element(&[0x63, 0xa2], head)].concat();
    [
        element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"webm")),
        b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track)),
        b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        element(&[0xa3], b"\x81\0\0\x80\x08sound"),
    ]
    .concat()
}

#[test]
fn recordings_are_there_in_the_container_that_everybody_plays() {
    run(async {
        let bytes = recording();
        let (server, _romeo, slot) = with_slot(&bytes, "audio/webm;codecs=opus").await?;
        assert_eq!(put(&server, &slot, "", &bytes).await?.status, 201);
        let webm = get(&server, &slot.get, "").await?;
        assert_eq!((webm.header("content-type"), &webm.body), (Some("audio/webm"), &bytes));
        let (folder, _) = slot.get.rsplit_once('/').context("a path")?;
        let ogg = get(&server, &format!("{folder}/voice.ogg"), "").await?;
        assert_eq!((ogg.status, ogg.header("content-type")), (200, Some("audio/ogg")));
        assert!(ogg.body.starts_with(b"OggS") && ogg.body.ends_with(b"\x08sound"));
        assert_ne!(ogg.header("etag"), webm.header("etag"));
        assert_eq!(ogg.header("x-content-type-options"), Some("nosniff"));
        let part = get(&server, &format!("{folder}/voice.ogg"), "Range: bytes=0-3\r\n").await?;
        assert_eq!((part.status, part.body.as_slice()), (206, &b"OggS"[..]));
        let odd = get(&server, &format!("{folder}/%0d%0aSet-Cookie:%20a.ogg"), "").await?;
        assert!(odd.status == 200 && odd.header("set-cookie").is_none());
        Ok(())
    });
}

#[test]
fn what_is_no_recording_stays_what_it_is_by_any_name() {
    run(async {
        let broken = &recording()[..60];
        for (kind, bytes) in
            [("audio/webm", &b"hello"[..]), ("audio/webm", broken), ("text/plain", &recording())]
        {
            let (server, _romeo, slot) = with_slot(bytes, kind).await?;
            assert_eq!(put(&server, &slot, "", bytes).await?.status, 201);
            let (folder, _) = slot.get.rsplit_once('/').context("a path")?;
            for _ in 0..2 {
                let answer = get(&server, &format!("{folder}/voice.ogg"), "").await?;
                assert_eq!((answer.header("content-type"), answer.body.as_slice()), (Some(kind), bytes));
            }
        }
        Ok(())
    });
}

/// A daemon that finds something in every file with `EICAR` in it, and breaks when it reads `break`.
async fn scanner(listener: tokio::net::UnixListener) -> Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut command = [0; 10];
        stream.read_exact(&mut command).await?;
        let mut whole = Vec::new();
        loop {
            let mut chunk = vec![0; stream.read_u32().await? as usize];
            if chunk.is_empty() {
                break;
            }
            stream.read_exact(&mut chunk).await?;
            whole.extend(chunk);
        }
        let text = String::from_utf8_lossy(&whole);
        if !text.contains("break") {
            let found = text.contains("EICAR");
            stream.write_all(if found { b"stream: Eicar-Test FOUND\0" } else { b"stream: OK\0" }).await?;
        }
    }
}

#[test]
fn the_scanner_decides() {
    run(async {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("clamd");
        let daemon = tokio::spawn(scanner(tokio::net::UnixListener::bind(&socket)?));
        let settings = rookery::files::Settings {
            scanner: Some(rookery::files::Scanner::ClamdSocket(socket)),
            ..Default::default()
        };
        let server = common::with(TestOptions { files: settings, ..TestOptions::default() }).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let clean = romeo.slot("a", 5, "", "").await?;
        assert_eq!(put(&server, &clean, "", b"hello").await?.status, 201);
        let bad = romeo.slot("b", 5, "", "").await?;
        let answer = put(&server, &bad, "", b"EICAR").await?;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.body, b"The file is not taken: Eicar-Test was found in it.\n");
        assert_eq!(get(&server, &bad.get, "").await?.status, 404);
        assert_eq!(put(&server, &bad, "", b"hello").await?.status, 410, "its place is gone");
        // Without a verdict nothing is kept.
        let odd = romeo.slot("c", 5, "", "").await?;
        assert_eq!(put(&server, &odd, "", b"break").await?.status, 503);
        assert_eq!(get(&server, &odd.get, "").await?.status, 404);
        daemon.abort();
        daemon.await.ok();
        assert_eq!(put(&server, &odd, "", b"hello").await?.status, 503);
        assert_eq!(server.core().store.stored_files().await?.files, 1);
        Ok(())
    });
}
