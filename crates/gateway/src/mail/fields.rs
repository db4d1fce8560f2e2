//! The header of a mail as it stands there: fields that nobody has decoded, for who takes some away.

/// A field with what folds into it (RFC 5322 §2.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Field<'a> {
    /// Its bytes, from its name up to the end of its last line.
    pub(super) whole: &'a [u8],
    name: usize,
}

impl<'a> Field<'a> {
    /// Whether it is called so, in whatever case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.whole[..self.name].trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether it is a field at all (RFC 5322 §2.2): others take such a line for the end of the header.
    pub(super) fn is_one(&self) -> bool {
        let name = self.whole[..self.name].trim_ascii_end();
        self.name < self.whole.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
    }

    /// What stands after the colon; empty where there is none.
    pub(super) fn value(&self) -> &'a [u8] {
        self.whole.get(self.name + 1..).unwrap_or_default()
    }
}

/// The fields of a mail, and the rest of it: from the empty line on, where there is one.
pub(super) fn split(mail: &[u8]) -> (Vec<Field<'_>>, &[u8]) {
    let mut fields = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < mail.len() {
        let end = memchr::memchr(b'\n', &mail[at..]).map_or(mail.len(), |end| at + end + 1);
        let line = &mail[at..end];
        let empty = matches!(line, b"\r\n" | b"\n");
        if at > begin && (empty || !matches!(line.first(), Some(b' ' | b'\t'))) {
            fields.push(field(&mail[begin..at]));
            begin = at;
        }
        if empty {
            return (fields, &mail[at..]);
        }
        at = end;
    }
    if at > begin {
        fields.push(field(&mail[begin..at]));
    }
    (fields, &mail[at..])
}

fn field(whole: &[u8]) -> Field<'_> {
    Field { whole, name: memchr::memchr(b':', whole).unwrap_or(whole.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_they_stand() {
        let mail = b"From: a@b\r\nbcc :\r\n x@y,\r\n\tz@y\r\nnonsense\r\n\r\nBcc: text\r\n";
        let (fields, rest) = split(mail);
        assert_eq!(fields.len(), 3);
        assert_eq!(fields.iter().map(Field::is_one).collect::<Vec<_>>(), [true, true, false]);
        assert!(fields[1].is("Bcc") && fields[1].whole.ends_with(b"z@y\r\n") && !fields[0].is("Bcc"));
        assert_eq!((fields[0].value(), fields[2].value()), (&b" a@b\r\n"[..], &b""[..]));
        assert_eq!(rest, b"\r\nBcc: text\r\n");
        for (mail, count) in [("", 0), ("\r\nx", 0), ("a:b", 1), (" a\r\nb:c\r\n", 2)] {
            let (fields, rest) = split(mail.as_bytes());
            let whole: Vec<u8> = fields.iter().flat_map(|it| it.whole).chain(rest).copied().collect();
            assert_eq!((fields.len(), whole.as_slice()), (count, mail.as_bytes()), "{mail:?}");
        }
    }
}
