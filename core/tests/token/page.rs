//! docs/token-protocol.md.

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/token-protocol.md");

pub fn text() -> String {
    std::fs::read_to_string(PATH).expect("the page")
}

pub fn write(text: &str) {
    std::fs::write(PATH, text).expect("the page");
}

/// The rows of the table whose head starts with these two cells.
pub fn table(first: &str, second: &str) -> Vec<Vec<String>> {
    let head = format!("| {first} | {second} |");
    let rows: Vec<Vec<String>> = text()
        .lines()
        .skip_while(|line| !line.starts_with(&head))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "no table {head}");
    rows
}
