//! Code words (ITU-R M.584-2, annex 1): 21 bits that say something, ten that protect them, and one that makes them even.

use super::{Function, Ric};

/// What stands before the sixteen code words of a batch.
pub const SYNC: u32 = 0x7CD2_15D8;

/// What stands where nothing is to be said.
pub const IDLE: u32 = 0x7A89_C197;

/// x¹⁰ + x⁹ + x⁸ + x⁶ + x⁵ + x³ + 1
const GENERATOR: u32 = 0x769;

/// Says that a code word carries a part of a message, and no address.
const MESSAGE: u32 = 1 << 20;

/// The code word that begins a page. The frame in which it stands says the lowest three bits of the RIC.
pub fn address(ric: Ric, function: Function) -> u32 {
    protect((ric.get() >> 3) << 2 | function as u32)
}

/// The code word of 20 bits of a message.
pub fn message(bits: u32) -> u32 {
    protect(MESSAGE | (bits & (MESSAGE - 1)))
}

/// BCH(31,21) and even parity for 21 bits.
fn protect(data: u32) -> u32 {
    let mut rest = data << 10;
    for bit in (10..31).rev() {
        if rest & (1 << bit) != 0 {
            rest ^= GENERATOR << (bit - 10);
        }
    }
    let word = (data << 10 | rest) << 1;
    word | (word.count_ones() & 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The published words are code words themselves.
    #[test]
    fn the_known_words_come_out() {
        assert_eq!(protect(SYNC >> 11), SYNC);
        assert_eq!(protect(IDLE >> 11), IDLE);
    }

    #[test]
    fn an_address_has_its_place() {
        let word = address(Ric::new(1_234_567).unwrap(), Function::C);
        assert_eq!((word >> 31, word >> 13, word >> 11 & 3), (0, 1_234_567 >> 3, 2));
        assert_eq!(message(u32::MAX) >> 11, 0x1F_FFFF);
    }

    proptest! {
        /// Whatever two words say, they differ in six bits or more: two bits that are broken can be mended.
        #[test]
        fn words_are_far_from_each_other(a in 0u32..1 << 21, b in 0u32..1 << 21) {
            prop_assert!(a == b || (protect(a) ^ protect(b)).count_ones() >= 6);
            prop_assert_eq!(protect(a).count_ones() % 2, 0);
        }
    }
}
