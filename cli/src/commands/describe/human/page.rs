//! A page of sections, rows and grids, laid out for a terminal's width or, without one, as wide
//! as its values.

use crate::output::{Style, clean_inline};

/// The narrowest column that a value is broken into.
const NARROW: usize = 12;

/// What stands on a page, from top to bottom.
#[derive(Default)]
pub struct Page {
    blocks: Vec<Block>,
}

enum Block {
    Section(String),
    /// A title, a value, and whether it is one to look at.
    Row(String, String, bool),
    Grid(Grid),
}

/// Rows with the same columns.
#[derive(Default)]
pub struct Grid {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A grid with these columns; those that stay empty are not shown.
    pub fn new(heads: &[&'static str]) -> Grid {
        Grid {
            heads: heads.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows
            .push(cells.iter().map(|cell| clean_inline(cell)).collect());
    }

    /// The columns in which something stands: head and cells.
    fn columns(&self) -> Vec<(&'static str, Vec<&str>)> {
        let column = |index: usize| {
            let cells = self
                .rows
                .iter()
                .map(move |row| row.get(index).map_or("", String::as_str));
            cells.collect::<Vec<_>>()
        };
        let columns = self
            .heads
            .iter()
            .enumerate()
            .map(|(index, head)| (*head, column(index)));
        columns
            .filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()))
            .collect()
    }
}

impl Page {
    /// Starts a section.
    pub fn section(&mut self, title: &str) {
        self.blocks.push(Block::Section(clean_inline(title)));
    }

    /// Adds a row.
    pub fn row(&mut self, title: &str, value: &str) {
        self.blocks
            .push(Block::Row(clean_inline(title), clean_inline(value), false));
    }

    /// Adds a row that people should look at.
    pub fn alert(&mut self, title: &str, value: &str) {
        self.blocks
            .push(Block::Row(clean_inline(title), clean_inline(value), true));
    }

    /// Adds a row, unless the value is empty.
    pub fn some(&mut self, title: &str, value: &str) {
        if !value.is_empty() {
            self.row(title, value);
        }
    }

    /// Adds one row for each value; the title stands at the first.
    pub fn list(&mut self, title: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            self.row(if index == 0 { title } else { "" }, value);
        }
    }

    /// Adds a section with a grid, unless it has no rows.
    pub fn grid(&mut self, title: &str, grid: Grid) {
        if !grid.rows.is_empty() {
            self.section(title);
            self.blocks.push(Block::Grid(grid));
        }
    }

    /// The page as text.
    pub fn text(&self, style: Style) -> String {
        let mut text = String::new();
        let mut rows: Vec<(&str, &str, bool)> = Vec::new();
        for block in &self.blocks {
            if let Block::Row(title, value, alert) = block {
                rows.push((title, value, *alert));
                continue;
            }
            write_rows(&mut text, &std::mem::take(&mut rows), style);
            match block {
                Block::Section(title) => {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(&paint(title, BOLD, style));
                    text.push('\n');
                }
                Block::Grid(grid) => write_grid(&mut text, grid, style),
                Block::Row(..) => {}
            }
        }
        write_rows(&mut text, &rows, style);
        text
    }
}

const BOLD: &str = "1";
const CYAN: &str = "36";
const RED: &str = "31";

fn paint(text: &str, color: &str, style: Style) -> String {
    if style.color && !text.trim().is_empty() {
        format!("\u{1b}[{color}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn write_rows(text: &mut String, rows: &[(&str, &str, bool)], style: Style) {
    let titles = rows
        .iter()
        .map(|(title, ..)| width_of(title))
        .max()
        .unwrap_or(0);
    let room = style
        .width
        .map(|width| width.saturating_sub(titles + 4).max(NARROW));
    for (title, value, alert) in rows {
        for (index, piece) in wrap(value, room).into_iter().enumerate() {
            let title = if index == 0 { *title } else { "" };
            let title = paint(&format!("{title:titles$}"), CYAN, style);
            let piece = if *alert {
                paint(piece, RED, style)
            } else {
                piece.to_owned()
            };
            push_line(text, &format!("  {title}  {piece}"));
        }
    }
}

fn write_grid(text: &mut String, grid: &Grid, style: Style) {
    let columns = grid.columns();
    let natural = |(head, cells): &(&str, Vec<&str>)| {
        let cells = cells.iter().map(|cell| width_of(cell));
        cells.chain([width_of(head)]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = columns.iter().map(natural).collect();
    if let Some(room) = style
        .width
        .map(|width| width.saturating_sub(2 * columns.len()))
        && !fit(&mut widths, room)
    {
        return write_records(text, grid, &columns, style);
    }
    let line = |cells: Vec<String>, color: Option<&str>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| {
            let cell = format!("{cell:width$}");
            color.map_or(cell.clone(), |color| paint(&cell, color, style))
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  "))
    };
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
    push_line(text, &line(heads, Some(CYAN)));
    for row in 0..grid.rows.len() {
        let wrapped: Vec<Vec<&str>> = columns
            .iter()
            .zip(&widths)
            .map(|((_, cells), width)| wrap(cells[row], Some(*width)))
            .collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..height {
            let piece = |cell: &Vec<&str>| (*cell.get(index).unwrap_or(&"")).to_owned();
            push_line(text, &line(wrapped.iter().map(piece).collect(), None));
        }
    }
}

/// Makes the widest columns narrower until all fit; whether they do.
fn fit(widths: &mut [usize], room: usize) -> bool {
    loop {
        let total: usize = widths.iter().sum();
        if total <= room {
            return true;
        }
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROW => *widest -= 1,
            _ => return false,
        }
    }
}

/// One below the other, where columns would be too narrow.
fn write_records(text: &mut String, grid: &Grid, columns: &[(&str, Vec<&str>)], style: Style) {
    for row in 0..grid.rows.len() {
        if row != 0 {
            text.push('\n');
        }
        let cells = columns
            .iter()
            .map(|(head, cells)| (*head, cells[row], false));
        let cells: Vec<_> = cells.filter(|(_, cell, _)| !cell.is_empty()).collect();
        write_rows(text, &cells, style);
    }
}

/// Breaks a value at spaces, else anywhere.
fn wrap(value: &str, room: Option<usize>) -> Vec<&str> {
    let Some(room) = room else {
        return vec![value];
    };
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((end, _)) = rest.char_indices().nth(room.max(1)) {
        let space = if rest[end..].starts_with(' ') {
            Some(end)
        } else {
            rest[..end].rfind(' ').filter(|at| *at > 0)
        };
        let (piece, after) = match space {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => rest.split_at(end),
        };
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut page = Page::default();
        page.section("Account");
        page.row("Name", "A");
        page.alert("Expires", "yesterday, at noon, in the rain");
        let mut grid = Grid::new(&["NAME", "EMPTY", "SUBJECT"]);
        grid.row(vec![
            "one\u{1b}".into(),
            String::new(),
            "a.b.c.d.e.f.g.h".into(),
        ]);
        grid.row(vec!["two".into(), String::new(), "x".into()]);
        page.grid("Exports", grid);
        page.grid("Imports", Grid::new(&["NAME"]));
        page
    }

    #[test]
    fn without_a_terminal_every_value_stands_whole_and_plain() {
        let plain = Style::default();
        assert_eq!(
            page().text(plain),
            "Account\n  Name     A\n  Expires  yesterday, at noon, in the rain\n\nExports\n  NAME       SUBJECT\n  one\\u{1b}  a.b.c.d.e.f.g.h\n  two        x\n"
        );
    }

    #[test]
    fn a_terminal_has_a_width_and_colours() {
        let narrow = Style {
            width: Some(28),
            color: false,
        };
        let text = page().text(narrow);
        assert!(text.lines().all(|line| width_of(line) <= 28), "{text}");
        assert!(text.contains("yesterday, at\n           noon"), "{text}");
        assert!(text.contains("  one\\u{1b}  a.b.c.d.e.f.g.h\n"), "{text}");
        // Too narrow for two columns.
        let text = page().text(Style {
            width: Some(20),
            color: false,
        });
        assert!(
            text.contains("  NAME     one\\u{1b}\n  SUBJECT  a.b.c.d.e.f."),
            "{text}"
        );
        let colours = page().text(Style {
            width: None,
            color: true,
        });
        assert!(colours.contains("\u{1b}[1mAccount\u{1b}[0m"), "{colours:?}");
        assert!(colours.contains("\u{1b}[31myesterday"), "{colours:?}");
    }

    #[test]
    fn values_break_at_spaces_or_anywhere() {
        assert_eq!(wrap("ab cd ef", Some(5)), ["ab cd", "ef"]);
        assert_eq!(wrap("abcdef", Some(4)), ["abcd", "ef"]);
        assert_eq!(wrap("äöü", Some(2)), ["äö", "ü"]);
        assert_eq!(wrap("", Some(2)), [""]);
        assert_eq!(wrap("abcdef", None), ["abcdef"]);
    }
}
