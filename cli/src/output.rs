//! Standard output and error: text for people, JSON for programs.

use crate::error::Error;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

/// Where a command writes.
pub struct Output {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    style: Style,
}

/// How text for people is laid out: plain and as wide as it is, unless for a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The columns of the terminal.
    pub width: Option<usize>,
    /// Whether it shows colours, and the person wants them.
    pub color: bool,
}

impl Style {
    /// That of standard output.
    fn standard() -> Style {
        if !io::stdout().is_terminal() {
            return Style::default();
        }
        let size = rustix::termios::tcgetwinsize(io::stdout());
        let columns = size.map_or(0, |size| usize::from(size.ws_col));
        let wanted = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Style {
            width: (columns != 0).then_some(columns),
            color: wanted("NO_COLOR").is_none()
                && wanted("TERM").is_some_and(|term| term != "dumb"),
        }
    }
}

impl Output {
    /// The process's own.
    pub fn standard() -> Output {
        Output {
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            style: Style::standard(),
        }
    }

    /// How to lay out text for people.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Text that is ours, or that went through [`clean`], and a line end.
    ///
    /// # Errors
    /// [`Error::Pipe`] if the reader has gone.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Error> {
        self.bytes(text.as_ref().as_bytes())?;
        self.bytes(b"\n")
    }

    /// Bytes as they are: a token, a creds file, JSON.
    ///
    /// # Errors
    /// [`Error::Pipe`] if the reader has gone.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(failed)
    }

    /// A value as JSON, indented by two spaces.
    ///
    /// # Errors
    /// [`Error::Pipe`] if the reader has gone.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Error> {
        self.line(json_text(value)?)
    }

    /// A remark on standard error, cleaned; it is no part of the answer.
    pub fn note(&mut self, text: impl AsRef<str>) {
        // In the order of writing; a failure comes back at the next write or the last flush.
        let _ = self.out.flush();
        // Nothing can be done if standard error is gone.
        let _ = writeln!(self.err, "{}", clean(text.as_ref()));
    }

    /// Hands over everything written so far.
    ///
    /// # Errors
    /// [`Error::Pipe`] if the reader has gone.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.out.flush().map_err(failed)
    }
}

fn failed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::Pipe,
        _ => Error::failed(format!("cannot write to standard output: {error}")),
    }
}

/// Foreign text made fit for a terminal: control characters, and those that turn the
/// direction of writing, are shown as escapes. A line end stays.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_unfit(char) {
            cleaned.extend(char.escape_debug());
        } else {
            cleaned.push(char);
        }
    }
    Cow::Owned(cleaned)
}

/// JSON indented by two spaces, in which what [`clean`] would change is escaped as JSON does.
///
/// # Errors
/// If the value has no JSON.
pub fn json_text(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::failed(format!("cannot write JSON: {error}")))?;
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if is_unfit(char) {
            let _ = write!(safe, "\\u{:04x}", u32::from(char));
        } else {
            safe.push(char);
        }
    }
    Ok(safe)
}

/// [`clean`] for a name or value within a line: line ends are escaped as well.
pub fn clean_inline(text: &str) -> String {
    clean(text).replace('\n', "\\n")
}

fn is_unfit(char: char) -> bool {
    let turns =
        matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (char.is_control() && char != '\n') || turns
}

/// A table with two spaces between columns; every cell is cleaned.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column titles.
    pub fn new(titles: &[&str]) -> Table {
        Table {
            rows: vec![titles.iter().map(|&title| title.to_owned()).collect()],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[&str]) {
        self.rows
            .push(cells.iter().map(|cell| clean_inline(cell)).collect());
    }

    /// Writes the table.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn write(&self, out: &mut Output) -> Result<(), Error> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(&format!("{cell:width$}  "));
            }
            out.line(line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// What was written, for tests.
    #[derive(Clone, Default)]
    pub struct Capture(Rc<RefCell<Vec<u8>>>);

    impl Capture {
        /// The text so far.
        pub fn text(&self) -> String {
            String::from_utf8_lossy(&self.0.borrow()).into_owned()
        }
    }

    impl Write for Capture {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Output {
        /// An output that is kept: standard output, standard error.
        pub fn captured() -> (Output, Capture, Capture) {
            let (out, err) = (Capture::default(), Capture::default());
            let output = Output {
                out: Box::new(out.clone()),
                err: Box::new(err.clone()),
                style: Style::default(),
            };
            (output, out, err)
        }
    }

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn escapes_and_turned_text_become_visible() {
        assert_eq!(clean("plain é 日本"), "plain é 日本");
        assert_eq!(
            clean("a\u{1b}]0;x\u{7}b\r\u{9b}"),
            "a\\u{1b}]0;x\\u{7}b\\r\\u{9b}"
        );
        assert_eq!(clean("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(clean_inline("a\nb"), "a\\nb");
        let text = json_text(&"a\u{9b}\u{202e}\u{7f}\n").unwrap();
        assert_eq!(text, r#""a\u009b\u202e\u007f\n""#);
    }

    #[test]
    fn a_table_is_aligned_and_its_cells_are_clean() {
        let (mut out, text, _) = Output::captured();
        let mut table = Table::new(&["NAME", "KEY"]);
        table.row(&["läng\u{7}", "A"]);
        table.row(&["s", "B"]);
        table.write(&mut out).unwrap();
        assert_eq!(text.text(), "NAME       KEY\nläng\\u{7}  A\ns          B\n");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let mut out = Output {
            out: Box::new(Gone),
            err: Box::new(Gone),
            style: Style::default(),
        };
        let error = out.line("x").unwrap_err();
        assert!(matches!(error, Error::Pipe));
        assert_eq!(error.code(), 0);
        out.note("nobody reads this");
    }
}
