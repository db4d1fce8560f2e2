//! How much one peer may make us hold and walk.

/// The bounds of one stream. A peer that passes one is disconnected with `policy-violation`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of one stanza, from `<` to the last `>`; also the bound of what a partial stanza can hold.
    pub stanza_bytes: usize,
    /// Bytes of the XML declaration, and bytes of the stream's start tag.
    pub header_bytes: usize,
    /// Elements nested in one another; the stanza itself is the first.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Bytes of one element's or attribute's name, prefix included.
    pub name_bytes: usize,
    /// Bytes of one attribute's value as written.
    pub value_bytes: usize,
}

impl Limits {
    /// Before authentication: anybody may connect, and SASL needs little. RFC 6120 §13.12 wants at least 10,000
    /// bytes.
    pub const fn unauthenticated() -> Limits {
        Limits { stanza_bytes: 16 << 10, depth: 16, ..Limits::authenticated() }
    }

    /// A user of ours: room for an avatar of more than 100 KB in base64, and for a carbon of an archived, forwarded
    /// message with a rich body, which nests some fifteen elements.
    pub const fn authenticated() -> Limits {
        Limits {
            stanza_bytes: 256 << 10,
            header_bytes: 4 << 10,
            depth: 64,
            attributes: 32,
            name_bytes: 256,
            // The tree parser behind us takes no longer ones, so neither may we.
            value_bytes: 8 << 10,
        }
    }

    /// What we have written ourselves and read back: a stanza with everything the server has added to it, or an
    /// element with a whole stanza inside. Canonical form may have spelt `'` as `&apos;` and given each attribute
    /// with a namespace a declaration and a longer prefix.
    pub const fn stored() -> Limits {
        let live = Limits::authenticated();
        Limits {
            stanza_bytes: 4 << 20,
            depth: live.depth + 16,
            attributes: 2 * live.attributes + 1,
            name_bytes: 2 * live.name_bytes,
            value_bytes: 6 * live.value_bytes,
            ..live
        }
    }
}
