//! Mails of all kinds, and what is none.

use super::*;

const MIXED: &str = "From: Ann <a@b.org>\nTo: c@d\nSubject: Hi\nMessage-ID: <1@x>\nMIME-Version: 1.0\n\
     Content-Type: multipart/mixed; boundary=\"x y\"\n\npreamble\n--x y\nContent-Type: text/plain; charset=utf-8\n\none\n\n--x y\n\
     Content-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/alternative; boundary=z\n\n--z\n\nplain\n--z\n\
     Content-Type: text/html\n\n<p>\n--z--\n--x y\nContent-Type: application/pdf; name=a.pdf\n\
     Content-Disposition: attachment; filename=\"a.pdf\"\nContent-Transfer-Encoding: base64\n\naGVs\nbG8=\n--x y--\nepilogue\n";

fn mixed() -> Vec<u8> {
    MIXED.replace('\n', "\r\n").into_bytes()
}

fn section(mail: &[u8], part: &[u32], text: SectionText) -> Option<String> {
    let section = Section { part: part.to_vec(), text };
    read(mail).section(mail, &section).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn sections_are_exact() {
    let mail = mixed();
    let get = |part: &[u32], text| section(&mail, part, text);
    assert_eq!(get(&[], SectionText::All).unwrap().as_bytes(), mail);
    assert_eq!(get(&[1], SectionText::All).as_deref(), Some("one\r\n"));
    assert_eq!(
        get(&[1], SectionText::Mime).as_deref(),
        Some("Content-Type: text/plain; charset=utf-8\r\n\r\n")
    );
    assert_eq!(get(&[1], SectionText::Header), None, "it is no mail");
    assert!(get(&[2], SectionText::All).unwrap().starts_with("Subject: inner"));
    assert!(get(&[2], SectionText::Header).unwrap().starts_with("Subject: inner"));
    assert!(get(&[2], SectionText::Text).unwrap().starts_with("--z"));
    assert_eq!(get(&[2, 1], SectionText::All).as_deref(), Some("plain"));
    assert_eq!(get(&[2, 2], SectionText::All).as_deref(), Some("<p>"));
    assert_eq!(get(&[3], SectionText::All).as_deref(), Some("aGVs\r\nbG8="));
    let fields = SectionText::Fields(vec!["SUBJECT".into(), "TO".into()], false);
    assert_eq!(get(&[], fields.clone()).as_deref(), Some("To: c@d\r\nSubject: Hi\r\n\r\n"));
    assert_eq!(get(&[2], fields).as_deref(), Some("Subject: inner\r\n\r\n"));
    let others = SectionText::Fields(vec!["content-type".into()], true);
    assert_eq!(get(&[2], others).as_deref(), Some("Subject: inner\r\n\r\n"));
    for none in [&[4][..], &[1, 1], &[2, 3], &[2, 1, 1], &[3, 1]] {
        assert_eq!(get(none, SectionText::All), None, "{none:?}");
    }
    assert_eq!(read(&mail).decoded(&mail, &[3]), Some(Ok(b"hello".to_vec())));
    assert_eq!(read(&mail).decoded(&mail, &[1]), Some(Ok(b"one\r\n".to_vec())));
    assert_eq!(read(&mail).decoded(&mail, &[9]), None);
}

#[test]
fn what_is_not_divided_has_one_part() {
    let mail = b"Subject: x\r\n\r\nbody\r\n";
    assert_eq!(section(mail, &[1], SectionText::All).as_deref(), Some("body\r\n"));
    assert_eq!(section(mail, &[1, 1], SectionText::All), None);
    assert_eq!(section(mail, &[2], SectionText::All), None);
    assert_eq!(section(mail, &[], SectionText::Text).as_deref(), Some("body\r\n"));
    assert_eq!(section(mail, &[1], SectionText::Mime).as_deref(), Some("Subject: x\r\n\r\n"));
    let forwarded = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntext";
    assert_eq!(section(forwarded, &[1], SectionText::Header).as_deref(), Some("Subject: in\r\n\r\n"));
    assert_eq!(section(forwarded, &[1, 1], SectionText::All).as_deref(), Some("text"));
}

#[test]
fn structures_are_written() {
    let mail = mixed();
    let mut out = Vec::new();
    structure(&mut out, &mail, &read(&mail), true);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)\
         (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 123 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 0 NIL NIL NIL NIL)\
         (\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0 NIL NIL NIL NIL) \"alternative\" (\"boundary\" \"z\") NIL NIL NIL) 10 NIL NIL NIL NIL)\
         (\"application\" \"pdf\" (\"name\" \"a.pdf\") NIL NIL \"base64\" 10 NIL (\"attachment\" (\"filename\" \"a.pdf\")) NIL NIL) \
         \"mixed\" (\"boundary\" \"x y\") NIL NIL NIL)"
    );
    let mut out = Vec::new();
    envelope(&mut out, &mail);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "(NIL \"Hi\" ((\"Ann\" NIL \"a\" \"b.org\")) ((\"Ann\" NIL \"a\" \"b.org\")) ((\"Ann\" NIL \"a\" \"b.org\")) \
         ((NIL NIL \"c\" \"d\")) NIL NIL NIL \"<1@x>\")"
    );
}

/// None of these stops anything, and every range is within the mail.
#[test]
fn what_is_badly_made_is_read_as_far_as_it_goes() {
    let deep = (0..200).fold(String::new(), |mail, at| {
        format!("{mail}Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n")
    });
    let wrapped = "Content-Type: message/rfc822\n\n".repeat(100);
    let many = format!("Content-Type: multipart/mixed; boundary=x\n\n{}", "--x\n\n".repeat(5_000));
    for text in [
        "",
        "\n",
        "\n\n",
        "x",
        ":",
        ": x",
        " folded",
        "Content-Type:",
        "Content-Type: ;;;=;\"",
        "Content-Type: a/",
        "Content-Type: multipart/mixed",
        "Content-Type: multipart/mixed; boundary=\n\n--\n",
        "Content-Type: multipart/mixed; boundary=x\n\n--x",
        "Content-Type: multipart/mixed; boundary=x\n\n--x--",
        "Content-Type: multipart/mixed; boundary=x\n\n--x\n--x\n--x\n",
        "Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: a\n\nb\n--x--",
        "Content-Type: message/rfc822",
        "Content-Type: (comment (in) it) text/plain (x); a (b)=\"c;d\\\"\"; e",
        "From: \"\nTo: <\nCc: (\n\n",
        &deep,
        &wrapped,
        &many,
    ] {
        for mail in [text.as_bytes().to_vec(), text.replace('\n', "\r\n").into_bytes()] {
            let part = read(&mail);
            let (mut body, mut whole) = (Vec::new(), Vec::new());
            structure(&mut body, &mail, &part, false);
            structure(&mut whole, &mail, &part, true);
            envelope(&mut whole, &mail[part.header.clone()]);
            for numbers in [&[][..], &[1], &[2], &[1, 1], &[1, 1, 1], &[1_000_000]] {
                for kind in [SectionText::All, SectionText::Header, SectionText::Text, SectionText::Mime] {
                    part.section(&mail, &Section { part: numbers.to_vec(), text: kind });
                }
                part.decoded(&mail, numbers);
            }
        }
    }
}
