//! scripts/thumb-cargo with compilers that this machine may not have: what it would call, and where it would build.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TARGETS: [&str; 2] = ["thumbv6m-none-eabi", "thumbv8m.main-none-eabihf"];

/// A folder of programs, wiped when dropped.
struct Bench(PathBuf);

impl Bench {
    /// With a `rustc` that looks for its targets in `rustlib`, and a `cargo` that says how it was called.
    fn new(name: &str) -> Bench {
        let folder = std::env::temp_dir().join(format!("nkey-thumb-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("rustlib")).expect("a folder");
        let bench = Bench(folder);
        bench.program(
            "rustc",
            &format!(
                "[ \"$1\" != --version ] || echo 'rustc 9.9.9 (0123 2030-01-01)'\n\
                 [ \"$*\" != \"--print target-libdir --target $4\" ] || echo {}/rustlib/$4",
                bench.0.display()
            ),
        );
        bench.program(
            "cargo",
            "echo \"$CARGO_TARGET_DIR\"; echo \"$CARGO_TARGET_THUMBV6M_NONE_EABI_RUSTFLAGS\"\n\
             echo \"$CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_RUSTFLAGS\"; echo \"$@\"",
        );
        bench
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
    }

    fn installed(&self, target: &str) {
        let folder = self.0.join("rustlib").join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("libcore-0.rlib"), "").expect("a library");
    }

    fn run(&self, path: &str, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/thumb-cargo");
        Command::new(script)
            .args(arguments)
            .env("PATH", path)
            .env("CARGO_TARGET_DIR", "/builds")
            .output()
            .expect("the script")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn targets_of_rustup_are_used_where_they_are_installed() {
    let bench = Bench::new("rustup");
    for target in TARGETS {
        bench.installed(target);
    }
    let path = format!(
        "{}:{}",
        bench.0.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = bench.run(&path, &["build", "--release"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let [folder, old, new, arguments] = lines[..] else {
        panic!("{output:?}");
    };
    assert_eq!(
        (folder, arguments),
        ("/builds/thumb-9.9.9", "build --release")
    );
    for flags in [old, new] {
        assert!(!flags.contains("sysroot"), "{flags}");
        assert!(flags.contains("--remap-path-prefix="), "{flags}");
        assert!(flags.contains("sha2_backend_soft"), "{flags}");
    }
    let output = bench.run(&path, &["--target-dir"]);
    assert_eq!(output.stdout, b"/builds/thumb-9.9.9\n");
}

#[test]
fn without_one_of_them_and_without_debian_it_says_what_to_type() {
    let bench = Bench::new("neither");
    bench.installed(TARGETS[0]);
    for tool in ["bash", "dirname"] {
        let found = std::env::var_os("PATH").and_then(|path| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(tool))
                .find(|path| path.is_file())
        });
        symlink(found.expect("a tool"), bench.0.join(tool)).expect("a link");
    }
    let output = bench.run(&bench.0.to_string_lossy(), &["build"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    let wanted = format!("rustup target add {}", TARGETS.join(" "));
    assert!(said.contains(&wanted), "{said}");
}
