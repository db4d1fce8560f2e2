//! Addresses in header fields (RFC 5322 §3.4), as they stand there: encoded words (RFC 2047) are the reader's.

use super::limits;

/// One of them, or the beginning (a name alone) or the end (nothing) of a group (RFC 9051 §7.5.2).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) name: Option<Vec<u8>>,
    pub(super) local: Option<Vec<u8>>,
    pub(super) host: Option<Vec<u8>>,
}

/// A piece of a field.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(Vec<u8>),
    Quoted(Vec<u8>),
    Comment(Vec<u8>),
    Sign(u8),
}

const SIGNS: &[u8] = b"<>@,;:";

/// Reads a list of addresses.
pub(super) fn addresses(value: &[u8]) -> Vec<Address> {
    let tokens = tokens(value);
    let (mut all, mut grouped) = (Vec::new(), false);
    let mut begin = 0;
    let mut angle = false;
    for at in 0..=tokens.len() {
        if all.len() >= limits::ADDRESSES {
            break;
        }
        let sign = match tokens.get(at) {
            Some(Token::Sign(sign)) => Some(*sign),
            Some(_) => continue,
            None => None,
        };
        match sign {
            Some(b'<') => angle = true,
            Some(b'>') => angle = false,
            // In angle brackets a colon ends an old route (§4.4).
            Some(b':') if !angle && !grouped => {
                all.push(Address { local: Some(phrase(&tokens[begin..at])), ..Address::default() });
                (grouped, begin) = (true, at + 1);
            }
            Some(b',') if angle => {}
            Some(b',' | b';') | None => {
                all.extend(mailbox(&tokens[begin.min(tokens.len())..at]));
                begin = at + 1;
                angle = false;
                if grouped && sign != Some(b',') {
                    grouped = false;
                    all.push(Address::default());
                }
            }
            _ => {}
        }
    }
    all
}

/// One address: with a name before angle brackets, or after it in a comment.
fn mailbox(tokens: &[Token]) -> Option<Address> {
    let open = tokens.iter().position(|token| *token == Token::Sign(b'<'));
    let (name, spec) = match open {
        Some(open) => {
            let close = tokens[open..].iter().position(|token| *token == Token::Sign(b'>'));
            let spec = &tokens[open + 1..close.map_or(tokens.len(), |close| open + close)];
            // §4.4: an old route ends with a colon.
            let route = spec.iter().rposition(|token| *token == Token::Sign(b':'));
            (Some(phrase(&tokens[..open])), &spec[route.map_or(0, |route| route + 1)..])
        }
        None => {
            let comment = tokens.iter().find_map(|token| match token {
                Token::Comment(text) => Some(text.clone()),
                _ => None,
            });
            (comment, tokens)
        }
    };
    let at = spec.iter().rposition(|token| *token == Token::Sign(b'@'));
    let (local, host) = match at {
        Some(at) => (joined(&spec[..at]), joined(&spec[at + 1..])),
        None => (joined(spec), Vec::new()),
    };
    let name = name.filter(|name| !name.is_empty());
    if local.is_empty() && host.is_empty() && name.is_none() {
        return None;
    }
    Some(Address { name, local: Some(local), host: Some(host) })
}

/// Words with spaces between them.
fn phrase(tokens: &[Token]) -> Vec<u8> {
    let mut out = Vec::new();
    for token in tokens {
        match token {
            Token::Word(text) | Token::Quoted(text) => {
                if !out.is_empty() {
                    out.push(b' ');
                }
                out.extend_from_slice(text);
            }
            Token::Sign(b'@') => out.push(b'@'),
            _ => {}
        }
    }
    out
}

/// Words without anything between them.
fn joined(tokens: &[Token]) -> Vec<u8> {
    let mut out = Vec::new();
    for token in tokens {
        match token {
            Token::Word(text) | Token::Quoted(text) => out.extend_from_slice(text),
            Token::Sign(b'<' | b'>') | Token::Comment(_) => {}
            Token::Sign(sign) => out.push(*sign),
        }
    }
    out
}

fn tokens(value: &[u8]) -> Vec<Token> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&byte) = value.get(at) {
        at += 1;
        match byte {
            b' ' | b'\t' => {}
            b'"' => tokens.push(Token::Quoted(until(value, &mut at, b'"', None))),
            b'(' => tokens.push(Token::Comment(until(value, &mut at, b')', Some(b'(')))),
            byte if SIGNS.contains(&byte) => tokens.push(Token::Sign(byte)),
            _ => {
                let begin = at - 1;
                let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'"' | b'(') || SIGNS.contains(byte);
                let length = value[begin..].iter().position(ends).unwrap_or(value.len() - begin);
                at = begin + length.max(1);
                tokens.push(Token::Word(value[begin..at].to_vec()));
            }
        }
    }
    tokens
}

/// What stands up to `close`, without backslashes; `open` stands within it again.
fn until(value: &[u8], at: &mut usize, close: u8, open: Option<u8>) -> Vec<u8> {
    let (mut out, mut depth) = (Vec::new(), 1_usize);
    while let Some(&byte) = value.get(*at) {
        *at += 1;
        if byte == b'\\' {
            out.extend(value.get(*at));
            *at += 1;
            continue;
        }
        if byte == close {
            depth -= 1;
            if depth == 0 {
                break;
            }
        } else if Some(byte) == open {
            depth += 1;
        }
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Vec<String> {
        let text =
            |it: Option<Vec<u8>>| it.map_or("-".into(), |it| String::from_utf8_lossy(&it).into_owned());
        let one = |it: Address| format!("{}|{}|{}", text(it.name), text(it.local), text(it.host));
        addresses(field.as_bytes()).into_iter().map(one).collect()
    }

    #[test]
    fn addresses_are_read_as_they_stand_there() {
        for (field, wanted) in [
            ("a@b.org", vec!["-|a|b.org"]),
            ("\"Ann, B.\" <ann@b.org>, c@d", vec!["Ann, B.|ann|b.org", "-|c|d"]),
            ("=?utf-8?q?J=C3=BC?= Mayer <j.m@b.org>", vec!["=?utf-8?q?J=C3=BC?= Mayer|j.m|b.org"]),
            ("a@b.org (Ann (the one))", vec!["Ann (the one)|a|b.org"]),
            ("friends: a@b, c@d; e@f", vec!["-|friends|-", "-|a|b", "-|c|d", "-|-|-", "-|e|f"]),
            ("undisclosed-recipients:;", vec!["-|undisclosed-recipients|-", "-|-|-"]),
            ("<@x,@y:a@b>", vec!["-|a|b"]),
            ("Ann B. Cole <a@b>", vec!["Ann B. Cole|a|b"]),
            ("\"a b\"@c", vec!["-|a b|c"]),
            ("nobody", vec!["-|nobody|"]),
            (", ,", vec![]),
            ("<", vec![]),
            ("\"", vec![]),
            ("(", vec![]),
            ("a <b <c", vec!["a|bc|"]),
        ] {
            assert_eq!(read(field), wanted, "{field}");
        }
        assert!(read(&"a@b,".repeat(5_000)).len() <= limits::ADDRESSES);
    }
}
