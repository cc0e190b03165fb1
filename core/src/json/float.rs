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
        let _ = match exponent.strip_prefix('-') {
            // Go cleans e-09 to e-9 and writes the plus sign.
            Some(negative) => write!(text, "{digits}e-{negative}"),
            None => write!(text, "{digits}e+{exponent}"),
        };
    } else {
        let _ = write!(text, "{value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::go_float;

    #[test]
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
            (1.7976931348623157e308, "1.7976931348623157e+308"),
        ] {
            assert_eq!(go_float(value).as_str(), text);
        }
    }
}
