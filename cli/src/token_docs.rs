//! docs/token.md shows commands: each has to be one, and each command of tokens has to be there.

use crate::cli;

const DOCUMENT: &str = include_str!("../../docs/token.md");

/// The commands in the document's blocks, as a shell takes them apart.
fn shown() -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for line in DOCUMENT.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let line = line.split(" #").next().unwrap_or_default();
        for part in line.split(['|', ';']) {
            let words = part.split_whitespace().map(|word| word.replace('\'', ""));
            let words: Vec<String> = words.collect();
            if words.first().is_some_and(|word| word == "nkey") {
                commands.push(words);
            }
        }
    }
    commands
}

#[test]
fn what_is_shown_is_what_there_is() {
    let commands = shown();
    assert!(commands.len() > 25, "{}", commands.len());
    for words in commands {
        if let Err(error) = cli::command().try_get_matches_from(&words) {
            panic!("{}: {error}", words.join(" "));
        }
    }
}

#[test]
fn each_command_of_tokens_is_there() {
    let mut tree = cli::command();
    tree.build();
    let token = tree.find_subcommand("token").expect("nkey token");
    for command in token.get_subcommands() {
        let name = command.get_name();
        let named = format!("nkey token {name}");
        assert!(name == "help" || DOCUMENT.contains(&named), "{named}");
    }
}
