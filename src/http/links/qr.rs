//! Drawing a link as a QR code (ISO/IEC 18004).

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// Smallest picture, in units of SVG; it scales without loss.
const MIN_SIDE: u32 = 256;

/// The picture as SVG; nothing when the link is too long for one.
///
/// A quarter of it may be covered, by dirt or by a logo, and it can still be read.
pub(super) fn draw(link: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(link, EcLevel::Q).ok()?;
    Some(code.render::<svg::Color<'_>>().min_dimensions(MIN_SIDE, MIN_SIDE).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_picture() {
        let svg = draw("https://refer.example/r/ANN-2026").unwrap();
        assert!(svg.contains("<svg") && svg.contains("viewBox"), "{svg}");
        assert!(draw(&"x".repeat(5_000)).is_none());
    }
}
