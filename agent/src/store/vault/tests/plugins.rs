//! Vaults that an age plugin seals.

use super::*;
use crate::store::State;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// A program that age's own project ships, which takes its passphrase from the environment.
fn tool(name: &str) -> Option<PathBuf> {
    if std::env::var("NKEY_TEST_SKIP")
        .is_ok_and(|skip| skip.split(',').any(|word| word == "batchpass"))
    {
        return None;
    }
    let tools = std::env::var_os("NKEY_TOOLS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools"),
        PathBuf::from,
    );
    let path = tools.join("bin").join(name);
    assert!(
        path.exists(),
        "{} is not there: type `make tools`, or set NKEY_TEST_SKIP=batchpass to go without",
        path.display()
    );
    Some(path.canonicalize().unwrap())
}

fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn sealing(binary: &Path) -> Sealing {
    Sealing::Plugin(binary.display().to_string())
}

#[test]
fn batchpass_seals_and_opens_a_vault_and_the_age_tool_reads_it() {
    let (Some(batchpass), Some(age)) = (tool("age-plugin-batchpass"), tool("age")) else {
        return;
    };
    let folder = Temporary::new();
    std::fs::write(folder.path().join("passphrase"), "hunter2").unwrap();
    let binary = script(
        folder.path(),
        "age-plugin-batchpass",
        &format!(
            "AGE_PASSPHRASE=$(cat '{}/passphrase') AGE_PASSPHRASE_WORK_FACTOR=10 exec '{}' \"$@\"\n",
            folder.path().display(),
            batchpass.display()
        ),
    );
    let dir = folder.path().join("vault");
    let mut nobody = Person::default();
    let vault = Vault::create(&dir, &sealing(&binary), &mut nobody).unwrap();
    let key = add(&vault, 1, "one");
    let record = std::fs::read_to_string(dir.join("plugin-identity.txt")).unwrap();
    assert!(
        record.contains(&format!("# binary: {}\n", binary.display())),
        "{record}"
    );
    assert!(record.contains("# plugin: batchpass\n"), "{record}");
    drop(vault);

    let vault = Vault::open(&dir).unwrap();
    std::fs::write(folder.path().join("passphrase"), "wrong").unwrap();
    let error = vault.unlock(&mut nobody).unwrap_err();
    assert!(matches!(error, StoreError::Plugin(..)), "{error:?}");
    assert!(
        error.to_string().contains("incorrect passphrase"),
        "{error}"
    );
    assert_eq!(vault.state(), State::Locked);
    std::fs::write(folder.path().join("passphrase"), "hunter2").unwrap();
    vault.unlock(&mut nobody).unwrap();
    assert!(key.verify(b"x", &vault.sign(&key, b"x").unwrap()));
    assert!(nobody.asked.is_empty());

    // Without this program: age opens the identity, and with it every key.
    let run = |arguments: &[&str], folder: &Path| {
        let output = Command::new(&age)
            .args(arguments)
            .current_dir(folder)
            .env(
                "PATH",
                binary.parent().unwrap().display().to_string() + ":/usr/bin:/bin",
            )
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let identity = run(&["-d", "-i", "plugin-identity.txt", "identity.age"], &dir);
    assert!(identity.starts_with("AGE-SECRET-KEY-1"));
    let file = folder.path().join("identity.txt");
    std::fs::write(&file, identity).unwrap();
    let sealed = format!("keys/{key}.age");
    let plain = run(&["-d", "-i", &file.display().to_string(), &sealed], &dir);
    assert!(plain.contains(seed(Kind::User, 1).encode().reveal()));
}

/// A plugin that asks everything there is to ask and keeps the file key in the stanza.
const ASKING: &str = r#"
send() { printf -- '%s\n%s\n' "-> $1" "$2"; }
answer() { read -r head; read -r body; }
while read -r line; do
  case $line in
    "-> done") read -r line; break ;;
    "-> "*) head=$line ;;
    *) case $head in *" wrap-file-key"|*" recipient-stanza 0 asking") key=$line ;; esac ;;
  esac
done
send msg "$(printf 'touch\033[31m it' | base64 | tr -d =)"; answer
send "confirm eWVw bm9wZQ" "$(printf 'Insert the card?' | base64 | tr -d =)"; answer
[ "$head" = "-> ok yes" ] || { send "error internal" "$(printf 'no card' | base64 | tr -d =)"; answer; send done; exit; }
send request-public "$(printf 'Slot' | base64 | tr -d =)"; answer
[ "$body" = OWM ] || { send "error internal" "$(printf 'wrong slot' | base64 | tr -d =)"; answer; send done; exit; }
send request-secret "$(printf 'PIN' | base64 | tr -d =)"; answer
[ "$body" = MTIzNDU2 ] || { send "error internal" "$(printf 'wrong PIN' | base64 | tr -d =)"; answer; send done; exit; }
send grease-1 ""; answer
[ "$head" = "-> unsupported" ] || exit 1
case $1 in
  *recipient-v1) send "recipient-stanza 0 asking" "$key" ;;
  *) send "file-key 0" "$key" ;;
esac
answer
send done
"#;

fn asking() -> Person {
    Person {
        secret: Some("123456".into()),
        public: Some("9c".into()),
        confirm: Some(true),
        asked: Vec::new(),
    }
}

#[test]
fn every_question_of_a_plugin_reaches_the_person_and_no_answer_ends_it() {
    let folder = Temporary::new();
    let binary = script(folder.path(), "age-plugin-asking", ASKING);
    let dir = folder.path().join("vault");
    let mut person = asking();
    let vault = Vault::create(&dir, &sealing(&binary), &mut person).unwrap();
    let key = add(&vault, 1, "");
    vault.lock();
    person.asked.clear();
    vault.unlock(&mut person).unwrap();
    let questions = [
        "message: touch [31m it",
        "confirm: Insert the card? (yes: yep; no: nope)",
        "public: Slot",
        "secret: PIN",
    ];
    assert_eq!(person.asked, questions);
    vault.sign(&key, b"x").unwrap();
    vault.lock();
    for (change, expected) in [
        (
            (|person| person.confirm = None) as fn(&mut Person),
            "nothing was changed",
        ),
        (|person| person.public = None, "nothing was changed"),
        (|person| person.secret = None, "nothing was changed"),
        (|person| person.confirm = Some(false), "no card"),
        (|person| person.public = Some("9a".into()), "wrong slot"),
        (|person| person.secret = Some("000000".into()), "wrong PIN"),
    ] {
        let mut person = asking();
        change(&mut person);
        let error = vault.unlock(&mut person).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(vault.state(), State::Locked);
        assert!(!error.contains("000000"));
    }
    vault.unlock(&mut asking()).unwrap();
}

#[test]
fn plugins_that_misbehave_are_named_errors() {
    let folder = Temporary::new();
    let good = folder.path().join("age-plugin-asking");
    script(folder.path(), "age-plugin-asking", ASKING);
    let dir = folder.path().join("vault");
    let vault = Vault::create(&dir, &sealing(&good), &mut asking()).unwrap();
    vault.lock();
    for (text, why) in [
        ("exit 0", "it ended before it answered"),
        (
            "cat >/dev/null & echo hello; echo; wait",
            "does not speak the age plugin protocol",
        ),
        (
            "while read -r l; do [ \"$l\" = '-> done' ] && break; done; printf -- '-> file-key 0\\nAAAA\\n'; read -r a; read -r b; printf -- '-> done\\n\\n'",
            "passphrase is wrong",
        ),
        (
            "while read -r l; do [ \"$l\" = '-> done' ] && break; done; printf -- '-> file-key 0\\nAAAAAAAAAAAAAAAAAAAAAA\\n'; read -r a; read -r b; printf -- '-> done\\n\\n'",
            "not a whole age file",
        ),
        (
            "yes 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
            "does not speak the age plugin protocol",
        ),
    ] {
        script(folder.path(), "age-plugin-asking", text);
        let error = vault.unlock(&mut asking()).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    let children = std::fs::read_to_string("/proc/thread-self/children").unwrap();
    assert_eq!(children.trim(), "", "a plugin was left behind");
}

#[test]
fn a_plugin_that_others_could_replace_opens_nothing() {
    let folder = Temporary::new();
    let binary = script(folder.path(), "age-plugin-asking", ASKING);
    let dir = folder.path().join("vault");
    let vault = Vault::create(&dir, &sealing(&binary), &mut asking()).unwrap();
    vault.lock();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o722)).unwrap();
    let mut person = asking();
    let error = vault.unlock(&mut person).unwrap_err().to_string();
    assert!(error.contains("can be written by others"), "{error}");
    assert!(person.asked.is_empty());
    drop(vault);
    let error = Vault::open(&dir).unwrap_err().to_string();
    assert!(error.contains("can be written by others"), "{error}");
    std::fs::remove_file(&binary).unwrap();
    let error = Vault::open(&dir).unwrap_err().to_string();
    assert!(
        error.contains("not there any more") && error.contains("plugin-identity.txt"),
        "{error}"
    );
}

#[test]
fn a_wrong_name_identity_or_path_is_refused_before_anything_is_sealed() {
    let folder = Temporary::new();
    let dir = folder.path().join("vault");
    let create = |text: &str| {
        let sealing = Sealing::Plugin(text.to_owned());
        let error = Vault::create(&dir, &sealing, &mut asking()).unwrap_err();
        assert!(!Vault::exists(&dir).unwrap());
        error.to_string()
    };
    for name in ["no-such-plugin", "AGE-PLUGIN-NO-SUCH-PLUGIN-1QVHULF"] {
        let missing = create(name);
        assert!(
            missing.contains("no program age-plugin-no-such-plugin"),
            "{missing}"
        );
    }
    assert!(create("../x").contains("a plugin's name"));
    let other = script(folder.path(), "other", ASKING);
    assert!(create(&other.display().to_string()).contains("not named age-plugin-NAME"));
    let missing = folder.path().join("age-plugin-none");
    assert!(create(&missing.display().to_string()).contains("cannot find"));
    let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    let refused = create(secret);
    assert!(!refused.contains("GQ9778"), "{refused}");
}
