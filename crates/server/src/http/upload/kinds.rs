//! How a file may be shown. What a browser could run never comes as what it is: pages, scripts, SVG, XML.

/// Types that are passed on as they were given, and whether a browser may show them in place of downloading them.
const KNOWN: &[(&str, bool)] = &[
    ("image/jpeg", true),
    ("image/png", true),
    ("image/gif", true),
    ("image/webp", true),
    ("image/avif", true),
    ("image/heic", true),
    ("image/jxl", true),
    ("image/bmp", true),
    ("audio/aac", true),
    ("audio/flac", true),
    ("audio/m4a", true),
    ("audio/mp4", true),
    ("audio/mpeg", true),
    ("audio/ogg", true),
    ("audio/opus", true),
    ("audio/wav", true),
    ("audio/webm", true),
    ("audio/x-m4a", true),
    ("video/mp4", true),
    ("video/mpeg", true),
    ("video/ogg", true),
    ("video/quicktime", true),
    ("video/webm", true),
    ("application/pdf", false),
    ("application/zip", false),
    ("text/plain", false),
];

/// What anything else is.
const BYTES: &str = "application/octet-stream";

/// The type that a file is sent with, and whether it may be shown in place.
pub(super) fn served(media_type: &str) -> (&'static str, bool) {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let known = KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(essence));
    known.copied().unwrap_or((BYTES, false))
}

/// RFC 6266: how a file is called when it is saved.
pub(super) fn disposition(name: &str, inline: bool) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    // §4.3, Appendix D: in ASCII for who knows no other, and whole for everybody else.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-._ ".contains(c) { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut whole = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => whole.push(char::from(byte)),
            other => whole.push_str(&format!("%{other:02X}")),
        }
    }
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_is_shown() {
        for (said, expected) in [
            ("image/jpeg", ("image/jpeg", true)),
            ("IMAGE/PNG; x=y", ("image/png", true)),
            ("text/plain; charset=utf-8", ("text/plain", false)),
            ("text/html", (BYTES, false)),
            ("image/svg+xml", (BYTES, false)),
            ("application/xhtml+xml", (BYTES, false)),
            ("text/javascript", (BYTES, false)),
            ("application/pdf", ("application/pdf", false)),
            ("", (BYTES, false)),
            ("image/jpeg\r\nX: y", (BYTES, false)),
        ] {
            assert_eq!(served(said), expected, "{said}");
        }
    }

    #[test]
    fn names_are_written_so_that_nothing_follows_them() {
        assert_eq!(disposition("a.jpg", true), "inline; filename=\"a.jpg\"; filename*=UTF-8''a.jpg");
        assert_eq!(
            disposition("ä\"; x=\r\n.html", false),
            "attachment; filename=\"___ x___.html\"; filename*=UTF-8''%C3%A4%22%3B%20x%3D%0D%0A.html"
        );
    }
}
