//! A picture as SVG: boxes below each other, lines at their sides, so that nothing overlaps.

use super::drawing::{Drawing, Item};
use crate::output::clean_inline;
use std::fmt::Write;

const LINE: usize = 18;
const PAD: usize = 10;
const GAP: usize = 18;
const INDENT: usize = 48;
/// The width of a character of the font, in tenths.
const CHAR: usize = 74;
const TOP: usize = 48;
const MARGIN: usize = 24;
/// How far the first line between rows bends out, and each further one more.
const BEND: usize = 28;
const STEP: usize = 10;

/// A box in its place.
struct Placed {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Placed {
    /// The middle of a row, or of the title.
    fn middle(&self, row: Option<usize>) -> usize {
        self.y + PAD + row.map_or(0, |row| row + 1) * LINE + LINE / 2 - 3
    }
}

/// The picture.
pub fn text(drawing: &Drawing) -> String {
    let mut y = TOP;
    let placed: Vec<Placed> = drawing
        .boxes
        .iter()
        .map(|item| {
            let place = place(item, y);
            y += place.height + GAP;
            place
        })
        .collect();
    let right = placed
        .iter()
        .map(|place| place.x + place.width)
        .max()
        .unwrap_or(0);
    let bends = drawing
        .lines
        .iter()
        .filter(|line| line.from.1.is_some())
        .count();
    let title = width(&drawing.title) * 12 / 10;
    let whole = (right + BEND + bends * STEP).max(MARGIN + title) + MARGIN;
    let height = y + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"{height}\" viewBox=\"0 0 {whole} {height}\" \
         font-family=\"ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"12\">\n\
         <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#345\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{MARGIN}\" y=\"30\" font-size=\"15\" font-weight=\"bold\" fill=\"#123\">{}</text>\n",
        escaped(&drawing.title)
    );
    for (item, place) in drawing.boxes.iter().zip(&placed) {
        draw_box(&mut out, item, place);
    }
    let mut bend = BEND;
    for line in &drawing.lines {
        let (Some(from), Some(to)) = (placed.get(line.from.0), placed.get(line.to.0)) else {
            continue;
        };
        // Writing to a String does not fail.
        if line.from.1.is_some() {
            let (y1, y2) = (from.middle(line.from.1), to.middle(line.to.1));
            let (x1, x2, out_x) = (from.x + from.width, to.x + to.width, right + bend);
            bend += STEP;
            let _ = writeln!(
                out,
                "<path d=\"M{x1},{y1} H{} Q{out_x},{y1} {out_x},{} V{} Q{out_x},{y2} {},{y2} H{}\" fill=\"none\" \
                 stroke=\"#345\" marker-end=\"url(#arrow)\"/>",
                out_x - 6,
                if y1 < y2 { y1 + 6 } else { y1 - 6 },
                if y1 < y2 { y2 - 6 } else { y2 + 6 },
                out_x - 6,
                x2 + 2,
            );
        } else {
            let x = from.x + 16;
            let _ = writeln!(
                out,
                "<path d=\"M{x},{} V{} H{}\" fill=\"none\" stroke=\"#89a\"/>",
                from.y + from.height,
                to.middle(None),
                to.x,
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

fn place(item: &Item, y: usize) -> Placed {
    let rows = item.rows.iter().map(|row| width(&row.text));
    let widest = rows.max().unwrap_or(0).max(width(&item.title));
    Placed {
        x: MARGIN + item.depth * INDENT,
        y,
        width: widest + 2 * PAD,
        height: (item.rows.len() + 1) * LINE + 2 * PAD - 4,
    }
}

/// Pixels of a text; characters of East Asian scripts take two places.
fn width(text: &str) -> usize {
    let cells: usize = text
        .chars()
        .map(|char| if u32::from(char) >= 0x1100 { 2 } else { 1 })
        .sum();
    cells * CHAR / 10
}

fn draw_box(out: &mut String, item: &Item, place: &Placed) {
    let Placed {
        x,
        y,
        width,
        height,
    } = place;
    let fill = ["#dde8f5", "#e9f3e6", "#f6f1e2"][item.depth.min(2)];
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\" fill=\"{fill}\" stroke=\"#89a\"/>"
    );
    let x = x + PAD;
    let mut baseline = y + PAD + 11;
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{baseline}\" font-weight=\"bold\" fill=\"#123\">{}</text>",
        escaped(&item.title)
    );
    for row in &item.rows {
        baseline += LINE;
        let fill = if row.is_wrong { "#b00020" } else { "#345" };
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{baseline}\" fill=\"{fill}\" xml:space=\"preserve\">{}</text>",
            escaped(&row.text)
        );
    }
}

fn escaped(text: &str) -> String {
    clean_inline(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::drawing::{Line, Row};
    use super::*;

    #[test]
    fn boxes_do_not_overlap_and_names_cannot_write_svg() {
        let item = |depth| Item {
            title: "<script>&\"\u{7}".to_owned(),
            depth,
            rows: vec![Row::new("orders.>"), Row::wrong("x")],
        };
        let drawing = Drawing {
            title: "t".to_owned(),
            boxes: vec![item(0), item(1), item(2)],
            lines: vec![
                Line {
                    from: (0, None),
                    to: (1, None),
                },
                Line {
                    from: (2, Some(1)),
                    to: (0, Some(0)),
                },
                Line {
                    from: (9, None),
                    to: (0, None),
                },
            ],
        };
        let text = text(&drawing);
        assert!(
            !text.contains("<script>") && !text.contains('\u{7}'),
            "{text}"
        );
        assert_eq!(text.matches("<path d=\"M").count(), 3, "{text}");
        let places: Vec<Placed> = [0, 100].map(|y| place(&drawing.boxes[0], y)).into();
        assert!(places[0].height < 100);
        assert!(places[0].middle(Some(1)) < places[0].y + places[0].height);
    }
}
