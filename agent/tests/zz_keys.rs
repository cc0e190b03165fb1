mod common;
use nkey_core::nkey::Kind;
#[test]
fn keys() {
    let mut out = String::from("{");
    for (name, kind, byte) in [("O", Kind::Operator, 1), ("A", Kind::Account, 2), ("U", Kind::User, 3), ("N", Kind::User, 4)] {
        let key = common::key(kind, byte);
        let raw: String = key.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        out += &format!("\"{name}\":{{\"pub\":\"{key}\",\"raw\":\"{raw}\",\"seed\":\"{}\"}},", common::seed(kind, byte).encode().reveal());
    }
    out.pop();
    std::fs::write("/tmp/keys.json", out + "}").unwrap();
}
