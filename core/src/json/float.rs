//! Floating-point numbers as Go writes them.

use core::fmt::Write as _;

/// Go's text of a float64: the shortest digits that read back, an exponent below
/// 1e-6 and from 1e21 on. Source: `floatEncoder` of Go's encoding/json.
pub fn go_float(value: f64) -> heapless::String<32> {
    let mut text = heapless::String::new();
    let magnitude = value.abs();
    if value == 0.0 {
        // Go writes -0 for a negative zero.
        let _ = text.push_str(if value.is_sign_negative() { "-0" } else { "0" });
    } else if !(1e-6..1e21).contains(&magnitude) {
        let mut shortest = heapless::String::<32>::new();
        let _ = write!(shortest, "{value:e}");
        let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
        let _ = text.push_str(digits);
        let shift = exponent.parse::<i32>().unwrap_or(0);
        settle_tie(&mut text, shift, magnitude);
        // Go cleans e-09 to e-9 and writes the plus sign.
        let _ = write!(text, "e{shift:+}");
    } else {
        let _ = write!(text, "{value}");
        settle_tie(&mut text, 0, magnitude);
    }
    text
}

/// Rounds the last digit to even, as Go does, where the value lies halfway between two shortest
/// texts; Rust has rounded it up.
///
/// An odd number over 2^k has exactly k decimals, the last of them 5. So it is halfway when
/// the text has one less.
fn settle_tie(digits: &mut heapless::String<32>, shift: i32, magnitude: f64) {
    let Some(decimals) = digits.find('.').map(|point| digits.len() - point - 1) else {
        return;
    };
    let bits = magnitude.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    let (odd, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    let halvings = -(exponent + odd.trailing_zeros() as i32);
    if i32::try_from(decimals).is_ok_and(|decimals| decimals - shift == halvings - 1) {
        let _ = digits.pop().map(|last| {
            digits.push(if last.is_ascii_digit() {
                (last as u8 & !1) as char
            } else {
                last
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::go_float;

    #[test]
    #[allow(clippy::excessive_precision, reason = "the digits that Go is given")]
    fn the_same_digits_as_go() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (9.5e-7, "9.5e-7"),
            (1e-10, "1e-10"),
            (9007199254740993.0, "9007199254740992"),
            (1381309911072138.25, "1381309911072138.2"),
            (-1381309911072138.75, "-1381309911072138.8"),
            (1125899906842624.0 + 0.25, "1125899906842624.2"),
            (1125899906842624.0 - 0.125, "1125899906842623.9"),
            (2251799813685248.0 + 0.5, "2251799813685248.5"),
            (789556266293041.25, "789556266293041.2"),
            (5.0 / 16777216.0, "2.980232238769531e-7"),
            (3.0 / 16777216.0, "1.7881393432617188e-7"),
            (5e-324, "5e-324"),
            (18446744073709551615.0, "18446744073709552000"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
        ] {
            assert_eq!(go_float(value).as_str(), text);
        }
    }
}
