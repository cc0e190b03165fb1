//! A picture as Mermaid.

use super::drawing::Drawing;
use crate::output::clean_inline;
use std::fmt::Write;

/// The picture.
pub fn text(drawing: &Drawing) -> String {
    // Lines between rows need nodes for them.
    let by_row = drawing
        .lines
        .iter()
        .any(|line| line.from.1.is_some() || line.to.1.is_some());
    let mut out = format!(
        "---\ntitle: {}\n---\nflowchart LR\n",
        quoted_title(&drawing.title)
    );
    for (index, item) in drawing.boxes.iter().enumerate() {
        // Writing to a String does not fail.
        if by_row {
            let _ = writeln!(out, "  subgraph b{index}[\"{}\"]", escaped(&item.title));
            for (row, text) in item.rows.iter().enumerate() {
                let _ = writeln!(out, "    b{index}r{row}[\"{}\"]", escaped(&text.text));
                if text.is_wrong {
                    let _ = writeln!(out, "    style b{index}r{row} stroke:#c00,color:#c00");
                }
            }
            out.push_str("  end\n");
        } else {
            let rows: String = item
                .rows
                .iter()
                .map(|row| format!("<br/>{}", escaped(&row.text)))
                .collect();
            let _ = writeln!(out, "  b{index}[\"<b>{}</b>{rows}\"]", escaped(&item.title));
        }
    }
    let node = |(index, row): (usize, Option<usize>)| match row {
        Some(row) => format!("b{index}r{row}"),
        None => format!("b{index}"),
    };
    for line in &drawing.lines {
        let _ = writeln!(out, "  {} --> {}", node(line.from), node(line.to));
    }
    out
}

/// A label: whatever Mermaid or HTML could take for their own is written as a code.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in clean_inline(text).chars() {
        if char.is_alphanumeric() || " .,:_-+=/()@".contains(char) {
            out.push(char);
        } else {
            let _ = write!(out, "#{};", u32::from(char));
        }
    }
    out
}

/// A title in YAML.
fn quoted_title(text: &str) -> String {
    let text = clean_inline(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::super::drawing::{Item, Line, Row};
    use super::*;

    #[test]
    fn names_cannot_write_mermaid() {
        let item = |title: &str| Item {
            title: title.to_owned(),
            depth: 0,
            rows: vec![Row::new("a.>")],
        };
        let drawing = Drawing {
            title: "x\"\ny".to_owned(),
            boxes: vec![item("\"]; click b0 <script>"), item("b")],
            lines: vec![Line {
                from: (0, Some(0)),
                to: (1, Some(0)),
            }],
        };
        let text = text(&drawing);
        assert!(text.contains("title: \"x\\\"\\\\ny\""), "{text}");
        assert!(
            text.contains("b0[\"#34;#93;#59; click b0 #60;script#62;\"]"),
            "{text}"
        );
        assert!(
            text.contains("b0r0[\"a.#62;\"]") && text.contains("b0r0 --> b1r0"),
            "{text}"
        );
    }
}
