//! docs/nsc.md says what became of every command and flag of nsc; this compares it with nsc's
//! own list and with the commands there are.

use crate::cli;
use clap::{Arg, Command};
use std::collections::BTreeMap;

const DOCUMENT: &str = include_str!("../../docs/nsc.md");
const NSC: &str = include_str!("../../tests/fixtures/nsc-flags.txt");

/// What nsc has: for each command, its flags as the list writes them, and its other names.
fn nsc() -> BTreeMap<String, Vec<String>> {
    let mut commands = BTreeMap::new();
    for line in NSC.lines() {
        if let Some(flags) = line.strip_prefix("# Global on all: ") {
            let flags = flags.split(' ').map(str::to_owned).collect();
            commands.insert("every command".to_owned(), flags);
            continue;
        }
        let Some((name, rest)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let (flags, aliases) = rest.split_once("   [").unwrap_or((rest, ""));
        let name = name.trim_end_matches(" (hidden)");
        let own = name.rsplit(' ').next().unwrap_or_default();
        let mut entries: Vec<String> = flags
            .split(' ')
            .filter(|flag| !flag.is_empty())
            .map(str::to_owned)
            .collect();
        let aliases = aliases.trim_end_matches(']').split(", ");
        entries.extend(
            aliases
                .filter(|alias| !alias.is_empty() && *alias != own)
                .map(|alias| format!("alias {alias}")),
        );
        commands.insert(name.to_owned(), entries);
    }
    commands
}

/// What the document decides: for each command, its rows, the command's own first.
fn decided() -> BTreeMap<String, Vec<(String, String, String)>> {
    let mut commands: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut command = String::new();
    for line in DOCUMENT.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            command = title.to_owned();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", what, decision, note, ""] = cells[..]
            && !what.starts_with("---")
            && decision != "decision"
        {
            let what = what.trim_matches('`').to_owned();
            let row = (what, decision.to_owned(), note.to_owned());
            commands.entry(command.clone()).or_default().push(row);
        }
    }
    commands
}

fn find<'c>(root: &'c Command, name: &str) -> Option<&'c Command> {
    if name == "every command" {
        return Some(root);
    }
    name.split(' ').try_fold(root, |command, word| {
        command
            .get_subcommands()
            .find(|found| found.get_name() == word || found.get_all_aliases().any(|a| a == word))
    })
}

/// How a flag of nsc differs from ours, if there is one of its name.
fn differs(command: &Command, flag: &str) -> Option<String> {
    if let Some(alias) = flag.strip_prefix("alias ") {
        let known =
            command.get_all_aliases().any(|known| known == alias) || command.get_name() == alias;
        return (!known).then(|| "there is no such alias".to_owned());
    }
    let names = flag.split(['=', '(', '[']).next().unwrap_or_default();
    let (short, long) = match names.split_once('/') {
        Some((short, long)) => (short.chars().nth(1), long),
        None => (None, names),
    };
    let long = long.trim_start_matches("--");
    let named = |arg: &&Arg| {
        arg.get_long() == Some(long)
            || arg
                .get_all_aliases()
                .is_some_and(|aliases| aliases.contains(&long))
    };
    let Some(arg) = command.get_arguments().find(named) else {
        return Some("there is no such flag".to_owned());
    };
    if short.is_some_and(|short| {
        arg.get_short() != Some(short)
            && !arg
                .get_all_short_aliases()
                .is_some_and(|aliases| aliases.contains(&short))
    }) {
        return Some(format!("its short name is {:?}", arg.get_short()));
    }
    let values = arg.get_num_args();
    let takes =
        arg.get_action().takes_values() && values.is_none_or(|values| values.max_values() > 0);
    let optional = values.is_some_and(|values| values.min_values() == 0 && values.max_values() > 0);
    // `--flag=kind`, `--flag=kind[=value when bare]`, `--flag`, `--flag(default)`
    let wants = flag.contains('=');
    let bare = flag.contains("[=");
    // A flag without a value may be written `--flag=false` in nsc.
    let fits = match wants {
        true => takes && optional == bare,
        false => !takes || optional,
    };
    (!fits).then(|| format!("takes a value: {takes}, may leave it out: {optional}"))
}

#[test]
fn every_command_and_flag_of_nsc_has_a_decision_that_is_true() {
    let mut root = cli::command();
    root.build();
    let (nsc, decided) = (nsc(), decided());
    assert!(nsc.len() == 65, "{}", nsc.len());
    let mut problems = Vec::new();
    for name in decided.keys().filter(|name| !nsc.contains_key(*name)) {
        problems.push(format!("{name}: nsc has no such command"));
    }
    for (name, flags) in &nsc {
        let empty = Vec::new();
        let rows = decided.get(name).unwrap_or(&empty);
        let command = find(&root, name);
        let wanted = std::iter::once("command").chain(flags.iter().map(String::as_str));
        for what in wanted.clone() {
            match rows.iter().filter(|row| row.0 == what).count() {
                1 => {}
                count => problems.push(format!("{name}: {what} has {count} rows")),
            }
        }
        for (what, decision, note) in rows {
            if !wanted.clone().any(|wanted| wanted == what) {
                problems.push(format!("{name}: nsc has no {what}"));
                continue;
            }
            let difference = match (command, what.as_str()) {
                (None, _) => Some("there is no such command".to_owned()),
                (Some(_), "command") => None,
                // The list gives no kinds of value here.
                (Some(command), flag) if name == "every command" => {
                    differs(command, flag).and(differs(command, &format!("{flag}=string")))
                }
                (Some(command), flag) => differs(command, flag),
            };
            match (decision.as_str(), difference) {
                ("same", None) => {}
                ("better" | "left out", _) if note.is_empty() => {
                    problems.push(format!("{name}: {what}: it does not say how or why"));
                }
                ("better", None) | ("left out", Some(_)) => {}
                ("same" | "better", Some(difference)) => {
                    problems.push(format!("{name}: {what}: {difference}"));
                }
                ("left out", None) => problems.push(format!("{name}: {what} is there")),
                (other, _) => problems.push(format!("{name}: {what}: {other} is no decision")),
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
