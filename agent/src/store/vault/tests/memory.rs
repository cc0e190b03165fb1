//! What scrypt takes goes back to the system.

use super::*;

/// A line of `/proc/self/status`, in KiB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_vault_takes_256_mib_to_create_and_unlock_and_gives_them_back() {
    if let Some(dir) = child::folder() {
        let before = status("RssAnon");
        let vault = Vault::create(&dir, &passphrase(), &mut Person::default()).unwrap();
        assert!(
            status("VmHWM") > 256 * 1024,
            "scrypt ran with a lower work factor"
        );
        add(&vault, 1, "one");
        vault.lock();
        let sealed = std::fs::read(dir.join("identity.age")).unwrap();
        let stanza = String::from_utf8_lossy(&sealed)
            .lines()
            .nth(1)
            .unwrap()
            .to_owned();
        assert!(
            stanza.starts_with("-> scrypt ") && stanza.ends_with(" 18"),
            "{stanza}"
        );
        unlock(&vault).unwrap();
        assert_eq!(used(&vault).len(), 1);
        let after = status("RssAnon");
        assert!(
            after < before + 4 * 1024,
            "{before} KiB before, {after} KiB after"
        );
        return;
    }
    let folder = Temporary::new();
    let name = "a_vault_takes_256_mib_to_create_and_unlock_and_gives_them_back";
    let output = child::command(module_path!(), name, &folder.path().join("vault"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
