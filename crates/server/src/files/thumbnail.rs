//! Pictures: how large they are, and small copies of them.
//!
//! Formats are those that people send, and decoders are held to bounds of pixels and memory: a small file can say that it is
//! a picture of a thousand million pixels.

use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage, metadata::Orientation};
use rookery_core::limits::{PICTURE_EDGE, THUMBNAIL_PIXELS};
use rookery_core::xep::file_info::thumbnail_size;
use std::io::{BufRead, Seek};

/// Memory of one decoder, bytes: four for each pixel, and something to work with.
const MEMORY: u64 = THUMBNAIL_PIXELS * 4 + (32 << 20);

/// The most that a decoded picture takes, bytes: a picture of sixteen bits a colour has half the pixels. The decoders' own
/// bound is about what they work with, and not about what they give.
const DECODED: u64 = THUMBNAIL_PIXELS * 4;

/// How good a small copy is, of 100: at its size nobody sees more.
const QUALITY: u8 = 80;

/// Whether a file of this type may be a picture that is understood.
pub(super) fn is_picture(media_type: &str) -> bool {
    ["image/jpeg", "image/png", "image/gif", "image/webp"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(media_type))
}

/// Reads the head of a picture; `None` if it is none.
fn decoder(picture: impl BufRead + Seek + 'static) -> Option<(impl ImageDecoder, Orientation)> {
    let mut reader = ImageReader::new(picture).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    (limits.max_image_width, limits.max_image_height) = (Some(PICTURE_EDGE), Some(PICTURE_EDGE));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Some((decoder, orientation))
}

/// Width and height of a picture as it is shown, in pixels.
pub(crate) fn dimensions(picture: impl BufRead + Seek + 'static) -> Option<(u32, u32)> {
    let (decoder, orientation) = decoder(picture)?;
    let (width, height) = decoder.dimensions();
    let lying = [
        Orientation::Rotate90,
        Orientation::Rotate270,
        Orientation::Rotate90FlipH,
        Orientation::Rotate270FlipH,
    ];
    Some(if lying.contains(&orientation) { (height, width) } else { (width, height) })
}

/// A small copy of a picture as JPEG; `None` if it is none, or too large.
pub(crate) fn thumbnail(picture: impl BufRead + Seek + 'static) -> Option<Vec<u8>> {
    let (decoder, orientation) = decoder(picture)?;
    if !fits(&decoder) {
        return None;
    }
    let (width, height) = thumbnail_size(decoder.dimensions());
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture = picture.thumbnail_exact(width, height);
    picture.apply_orientation(orientation);
    let mut out = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, QUALITY);
    on_white(&picture).write_with_encoder(encoder).ok()?;
    Some(out)
}

/// Whether a picture is small enough to be decoded.
fn fits(decoder: &impl ImageDecoder) -> bool {
    let (width, height) = decoder.dimensions();
    u64::from(width) * u64::from(height) <= THUMBNAIL_PIXELS && decoder.total_bytes() <= DECODED
}

/// JPEG knows no transparency.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        let mix = |color: u32| ((color * alpha + 255 * (255 - alpha)) / 255) as u8;
        image::Rgb([mix(red), mix(green), mix(blue)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba, RgbaImage};
    use std::io::Cursor;

    fn file(bytes: &[u8]) -> Cursor<Vec<u8>> {
        Cursor::new(bytes.to_vec())
    }

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut picture = DynamicImage::from(RgbaImage::from_pixel(width, height, Rgba([200, 10, 10, 0])));
        if format == ImageFormat::Jpeg {
            picture = picture.to_rgb8().into();
        }
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn size(jpeg: &[u8]) -> (u32, u32) {
        assert!(jpeg.starts_with(&[0xff, 0xd8, 0xff]));
        dimensions(file(jpeg)).unwrap()
    }

    #[test]
    fn pictures_have_small_copies() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            let bytes = picture(640, 480, format);
            assert_eq!(dimensions(file(&bytes)), Some((640, 480)), "{format:?}");
            assert_eq!(size(&thumbnail(file(&bytes)).unwrap()), (320, 240), "{format:?}");
        }
        let tall = picture(10, 3_000, ImageFormat::Png);
        assert_eq!(size(&thumbnail(file(&tall)).unwrap()), (1, 320));
        let small = picture(7, 5, ImageFormat::Png);
        assert_eq!(size(&thumbnail(file(&small)).unwrap()), (7, 5));
    }

    #[test]
    fn what_is_transparent_becomes_white() {
        let small = thumbnail(file(&picture(8, 8, ImageFormat::Png))).unwrap();
        let shown = image::load_from_memory(&small).unwrap().to_rgb8();
        assert!(shown.get_pixel(4, 4).0.iter().all(|color| *color > 250));
    }

    /// A picture that was taken with the camera on its side: EXIF says to turn it by 90 degrees.
    #[test]
    fn pictures_stand_as_they_are_shown() {
        let plain = picture(40, 20, ImageFormat::Jpeg);
        let tiff: &[u8] = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let length = (2 + 6 + tiff.len()) as u16;
        let mut turned = plain[..2].to_vec();
        turned.extend_from_slice(&[0xff, 0xe1]);
        turned.extend_from_slice(&length.to_be_bytes());
        turned.extend_from_slice(b"Exif\0\0");
        turned.extend_from_slice(tiff);
        turned.extend_from_slice(&plain[2..]);
        assert_eq!(dimensions(file(&turned)), Some((20, 40)));
        assert_eq!(size(&thumbnail(file(&turned)).unwrap()), (20, 40));
    }

    #[test]
    fn what_is_no_picture_has_none() {
        let bytes = picture(64, 64, ImageFormat::Png);
        for wrong in [&b""[..], b"<svg/>", b"hello", &bytes[..30], b"GIF89a", b"RIFF\0\0\0\0WEBP"] {
            assert_eq!(thumbnail(file(wrong)), None);
        }
        // Every byte may be wrong; nothing breaks.
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0xff;
            let _ = (dimensions(file(&broken)), thumbnail(file(&broken)));
        }
    }

    /// A PNG of some hundred bytes that says it is 30,000 pixels wide and high.
    #[test]
    fn bombs_do_not_go_off() {
        let mut bomb = picture(1, 1, ImageFormat::Png);
        bomb[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(dimensions(file(&bomb)), Some((30_000, 30_000)));
        assert_eq!(thumbnail(file(&bomb)), None);
        bomb[16..20].copy_from_slice(&2_000_000_000_u32.to_be_bytes());
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(dimensions(file(&bomb)), None);
    }

    /// The same pixels take twice the memory with sixteen bits a colour.
    #[test]
    fn depth_counts() {
        let mut bomb = picture(1, 1, ImageFormat::Png);
        bomb[16..20].copy_from_slice(&4_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&((THUMBNAIL_PIXELS / 4_000) as u32).to_be_bytes());
        for (bits, expected) in [(8, true), (16, false)] {
            bomb[24] = bits;
            let crc = crc32(&bomb[12..29]);
            bomb[29..33].copy_from_slice(&crc.to_be_bytes());
            assert_eq!(fits(&decoder(file(&bomb)).unwrap().0), expected, "{bits} bits");
        }
    }

    /// The checksum of a PNG's chunks.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (0u32.wrapping_sub(crc & 1)))
            })
        })
    }
}
