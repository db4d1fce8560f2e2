//! Bits as sound: a level for each bit, as a transmitter's data input wants it.

use super::{Rate, bits};

/// Samples in a second.
pub const SAMPLE_RATE: u32 = 22_050;

/// How loud a bit is, of 32,767.
const LEVEL: i16 = 16_384;

/// Silence around a transmission, in samples: 50 ms, in which a transmitter comes up, and a decoder finishes.
const SILENCE: usize = SAMPLE_RATE as usize / 20;

/// Code words as samples of one channel. A 1 is the lower frequency (ITU-R M.584-2), and so the lower level.
pub fn samples(words: &[u32], rate: Rate) -> Vec<i16> {
    let (rate, samples) = (u64::from(rate.bits()), u64::from(SAMPLE_RATE));
    let mut out = vec![0; SILENCE];
    for (at, bit) in bits(words).enumerate() {
        // The border of a bit is rounded, not its length: nothing adds up.
        let end = (at as u64 + 1) * samples / rate;
        out.resize(SILENCE + end as usize, if bit { -LEVEL } else { LEVEL });
    }
    out.resize(out.len() + SILENCE, 0);
    out
}

/// Samples as a file of sound (RIFF WAVE, 16 bits, one channel).
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let bytes = samples.len() as u32 * 2;
    let mut out = Vec::with_capacity(44 + samples.len() * 2);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    // PCM, one channel.
    out.extend_from_slice(&[1, 0, 1, 0]);
    out.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    out.extend_from_slice(&(SAMPLE_RATE * 2).to_le_bytes());
    // Bytes of a sample, bits of a sample.
    out.extend_from_slice(&[2, 0, 16, 0]);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&bytes.to_le_bytes());
    out.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_keep_their_time() {
        for (rate, bits) in [(Rate::Bps512, 512), (Rate::Bps1200, 1200), (Rate::Bps2400, 2400)] {
            // Sixteen batches and more, so that an error of a sample a bit would show.
            let words = vec![0xFFFF_0000u32; 300];
            let sound = samples(&words, rate);
            let data = sound.len() - 2 * SILENCE;
            assert_eq!(data as u64, 300 * 32 * 22_050 / bits);
            assert_eq!((sound[SILENCE], sound[sound.len() - SILENCE - 1]), (-LEVEL, LEVEL));
        }
    }

    #[test]
    fn a_file_says_what_it_is() {
        let file = wav(&[1, -1]);
        assert_eq!((&file[..4], &file[8..16], file.len()), (&b"RIFF"[..], &b"WAVEfmt "[..], 48));
        assert_eq!((file[4], file[40], &file[44..]), (40, 4, &[1, 0, 0xFF, 0xFF][..]));
    }
}
