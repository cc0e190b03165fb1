//! `--flag`, `--flag=true` and `--flag=false`, as pflag reads them.

/// A truth value.
///
/// # Errors
/// Says what one is.
pub fn parse(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("\"{text}\" is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_read_as_go_reads_it() {
        assert_eq!(
            ["1", "t", "True"].map(parse),
            [Ok(true), Ok(true), Ok(true)]
        );
        assert_eq!(
            ["0", "F", "false"].map(parse),
            [Ok(false), Ok(false), Ok(false)]
        );
        for text in ["", "yes", "tRue"] {
            assert!(parse(text).unwrap_err().contains(text));
        }
    }
}
