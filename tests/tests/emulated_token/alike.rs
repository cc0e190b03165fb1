//! Most instructions are not executed by rp2040js but by ours: they do the same.

use nkey_tests::emulator::firmware;
use nkey_tests::{command, root, run};

#[test]
fn instructions_do_what_rp2040js_does() {
    let mut node = command("node");
    node.arg(root().join("tests/emulator/lockstep.mjs"))
        .arg("--image")
        .arg(firmware())
        .args(["--steps", "1000000"]);
    let told = run(&mut node, "").ok();
    let told: serde_json::Value = serde_json::from_str(&told).expect("its numbers");
    assert_eq!(told["executed"], 1_000_000);
    assert!(told["byFast"].as_u64() > Some(900_000), "{told}");
}
