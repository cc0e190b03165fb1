//! Link arguments: the memory map of QEMU's boards, mps2-an386 for the Cortex-M0+'s code, mps2-an505 for the M33's.
fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let target = std::env::var("TARGET").unwrap_or_default();
    let board = if target.starts_with("thumbv8m") { "an505" } else { "an386" };
    println!("cargo:rustc-check-cfg=cfg(an505)");
    if board == "an505" {
        println!("cargo:rustc-cfg=an505");
    }
    println!("cargo:rustc-link-arg-bins=-L{here}");
    println!("cargo:rustc-link-arg-bins=-T{here}/{board}.ld");
    for file in ["sections.ld", "an386.ld", "an505.ld"] {
        println!("cargo:rerun-if-changed={file}");
    }
}
