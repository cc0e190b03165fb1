//! Boxes with rows, and the lines between them.

/// A picture.
pub struct Drawing {
    /// What it shows.
    pub title: String,
    /// The boxes, from top to bottom.
    pub boxes: Vec<Item>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A box.
pub struct Item {
    /// Its title.
    pub title: String,
    /// How far to the right it stands: 0, 1, 2.
    pub depth: usize,
    /// What it says.
    pub rows: Vec<Row>,
}

/// A row of a box.
pub struct Row {
    /// What it says.
    pub text: String,
    /// Something is wrong with it.
    pub is_wrong: bool,
}

impl Row {
    /// A row.
    pub fn new(text: impl Into<String>) -> Row {
        Row {
            text: text.into(),
            is_wrong: false,
        }
    }

    /// A row about something that is wrong.
    pub fn wrong(text: impl Into<String>) -> Row {
        Row {
            text: text.into(),
            is_wrong: true,
        }
    }
}

/// A line between two boxes, or between a row of each.
pub struct Line {
    /// The box, and its row, where it begins.
    pub from: (usize, Option<usize>),
    /// The box, and its row, at which its arrow points.
    pub to: (usize, Option<usize>),
}
