//! A text as a code that phones read, drawn as a part of the page.

use qrcode::{Color, QrCode};
use rookery_proto::xml::Xml;
use std::fmt::Write;

/// Modules around the code that stay white (ISO/IEC 18004 §9.1).
const QUIET: usize = 4;

/// Draws the code; nothing if the text is too long for one.
pub(super) fn draw(text: &str, x: &mut Xml) {
    let Ok(code) = QrCode::new(text) else { return };
    let width = code.width();
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // Writing to a text does not fail.
            write!(path, "M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET).unwrap_or_default();
        }
    }
    let all = width + 2 * QUIET;
    x.open("svg").attr("viewBox", &format!("0 0 {all} {all}")).attr("role", "img");
    x.attr("aria-label", "The same link as a code for the camera of a phone");
    x.open("rect").attr("width", "100%").attr("height", "100%").attr("fill", "#fff").close();
    x.open("path").attr("d", &path).attr("fill", "#000").close();
    x.close();
}
