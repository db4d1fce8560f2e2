//! TAP, the Telocator Alphanumeric Protocol 1.8, also called IXO: pages over a modem, a serial line or TCP, in blocks with a sum.
//! What both sides have in common is here; nothing of it knows of connections.

mod client;
mod session;
mod wire;

pub use wire::{page, serve};

/// Start of text: a block begins.
const STX: u8 = 0x02;
/// End of text: it was the last block of a page.
const ETX: u8 = 0x03;
/// End of transmission.
const EOT: u8 = 0x04;
/// Acknowledged.
const ACK: u8 = 0x06;
/// Not acknowledged: the sum was wrong.
const NAK: u8 = 0x15;
/// End of block: more of the page follows.
const ETB: u8 = 0x17;
/// What follows is one sign of its own.
const SUB: u8 = 0x1A;
/// Escape.
const ESC: u8 = 0x1B;
/// The page is abandoned.
const RS: u8 = 0x1E;
/// Unit separator: a field goes on in the next block.
const US: u8 = 0x1F;
const CR: u8 = 0x0D;

/// Signs of a block, with its first and last one and its sum: so many are what terminals must take.
const BLOCK: usize = 256;

/// Blocks of one page: [`super::limits::TEXT`] fits into them.
const BLOCKS: usize = 32;

/// The sum of a block from STX to its last sign, both included: the lowest twelve bits, as three signs.
fn checksum(block: &[u8]) -> [u8; 3] {
    // Seven bits each: the eighth is the line's.
    let sum: u32 = block.iter().map(|byte| u32::from(byte & 0x7F)).sum();
    [8, 4, 0].map(|shift| 0x30 + (sum >> shift & 0xF) as u8)
}

/// A page as blocks, each with its sum: the pager's id and the text are its two fields.
fn blocks(id: &str, text: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = [escape(id.as_bytes()), vec![vec![CR]], escape(text), vec![vec![CR]]].concat();
    let mut out = Vec::new();
    while !rest.is_empty() && out.len() < BLOCKS {
        // STX, US or CR, ETX or ETB, the sum, CR.
        let room = BLOCK - 7;
        let mut length = 0;
        let count = rest
            .iter()
            .take_while(|sign| {
                length += sign.len();
                length <= room
            })
            .count();
        let after = rest.split_off(count);
        let mut block = vec![STX];
        block.extend(rest.concat());
        let last = after.is_empty();
        if !last && block.last() != Some(&CR) {
            block.push(US);
        }
        block.push(if last { ETX } else { ETB });
        let sum = checksum(&block);
        block.extend(sum);
        block.push(CR);
        out.push(block);
        rest = after;
    }
    out
}

/// Signs as they travel: controls as SUB and a sign 0x40 higher; what is not ASCII becomes a question mark.
fn escape(text: &[u8]) -> Vec<Vec<u8>> {
    let sign = |byte: &u8| match byte {
        0..=0x1F => vec![SUB, byte + 0x40],
        0x20..=0x7E => vec![*byte],
        _ => vec![b'?'],
    };
    text.iter().map(sign).collect()
}

/// Back again: the fields of a page whose blocks are put together. A SUB with nothing behind it is nothing.
fn fields(page: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = vec![Vec::new()];
    let mut signs = page.iter();
    while let Some(sign) = signs.next() {
        let field = match (*sign, fields.last_mut()) {
            (CR, _) => {
                fields.push(Vec::new());
                continue;
            }
            (_, Some(field)) => field,
            (_, None) => continue,
        };
        match *sign {
            SUB => field.extend(signs.next().map(|sign| sign.wrapping_sub(0x40) & 0x7F)),
            sign => field.push(sign),
        }
    }
    // Each field ends with CR, so nothing is behind the last.
    if fields.last().is_some_and(Vec::is_empty) {
        fields.pop();
    }
    fields
}

#[cfg(test)]
mod tests;
