//! `make bench`: speed as ratios within one run. Prints a Markdown table.
//!
//! Everything is measured with the other side on the same machine in the same minute, so
//! that a busy machine changes both. `docs/performance.md` has the figures of one run.

mod commands;
mod core_speed;
mod disk;
mod holders;
mod socket;
mod start;

/// A row of the table.
struct Row {
    what: &'static str,
    wanted: &'static str,
    measured: String,
}

/// A name, and what measures it.
type Part = (&'static str, fn() -> Vec<Row>);

impl Row {
    fn new(what: &'static str, wanted: &'static str, measured: String) -> Row {
        eprintln!("{what}: {measured}");
        Row {
            what,
            wanted,
            measured,
        }
    }
}

fn main() {
    if std::env::args().any(|argument| argument == holders::C_SIGN) {
        return holders::c_sign();
    }
    let parts: [Part; 5] = [
        ("core", core_speed::rows),
        ("socket", socket::rows),
        ("start", start::rows),
        ("commands", commands::rows),
        ("holders", holders::rows),
    ];
    // `cargo bench ... -- holders` measures that part alone.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let rows: Vec<Vec<Row>> = parts
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|part| part == name))
        .map(|(_, rows)| rows())
        .collect();
    println!("| what | wanted | measured |\n|---|---|---|");
    for row in rows.iter().flatten() {
        println!("| {} | {} | {} |", row.what, row.wanted, row.measured);
    }
}
