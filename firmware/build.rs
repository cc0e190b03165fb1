//! Link arguments: the memory map of the chip.

use std::env;
use std::path::PathBuf;

fn main() {
    let has = |name: &str| env::var_os(name).is_some();
    println!("cargo:rerun-if-changed=memory");
    // On a host only the library is built, for its tests.
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let chip = match (has("CARGO_FEATURE_RP2040"), has("CARGO_FEATURE_RP2350")) {
        (true, false) => "rp2040",
        (false, true) => "rp2350",
        _ => panic!("one board is wanted: --features pico, pico-w or pico2"),
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::copy(format!("memory/{chip}.x"), out.join("memory.x")).expect("the memory map");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if chip == "rp2040" {
        println!("cargo:rustc-link-arg-bins=-Tlink-rp.x");
    }
}
