//! Links the unwinder of GCC into the program: a command takes 2 ms, and 0.08 ms of that were
//! the loading of `libgcc_s.so`, of which nothing else is used (docs/decisions.md).

use std::env::{var, var_os};
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |name: &str| var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let native = var_os("HOST") == var_os("TARGET");
    if native && target("OS") == "linux" && target("ENV") == "gnu" && has_unwinder() {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Whether the linker has it; without, the shared library is as good.
fn has_unwinder() -> bool {
    let linker = var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(linker)
        .arg("-print-file-name=libgcc_eh.a")
        .output();
    asked.is_ok_and(|answer| {
        let path = String::from_utf8_lossy(&answer.stdout);
        Path::new(path.trim()).is_absolute()
    })
}
