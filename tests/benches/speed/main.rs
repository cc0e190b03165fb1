//! `make bench`: speed as ratios within one run. Prints a Markdown table.
//!
//! Everything is measured with the other side on the same machine in the same minute, so
//! that a busy machine changes both. `docs/performance.md` has the figures of one run.

mod commands;
mod core_speed;
mod socket;
mod start;

/// A row of the table.
struct Row {
    what: &'static str,
    wanted: &'static str,
    measured: String,
}

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
    let rows = [
        core_speed::rows(),
        socket::rows(),
        start::rows(),
        commands::rows(),
    ];
    println!("| what | wanted | measured |\n|---|---|---|");
    for row in rows.iter().flatten() {
        println!("| {} | {} | {} |", row.what, row.wanted, row.measured);
    }
}
