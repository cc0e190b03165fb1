use super::write::files;
use super::*;
use crate::store::lock::Lock;
use crate::store::lock::tests::Scratch;
use std::fs;

/// The operator of the store that nsc wrote.
pub fn fixture() -> Operator {
    let stores = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/nsc-store/stores"
    ));
    Operator::load(&stores, "demoop").unwrap()
}

#[test]
fn what_nsc_wrote_is_found_by_name_and_by_key() {
    let operator = fixture();
    assert_eq!(operator.claims().unwrap().claims.standard.name, "demoop");
    let accounts = operator.accounts().unwrap();
    assert_eq!(
        accounts,
        [
            "SYS",
            "demoCALLOUT",
            "demoEXP",
            "demoIMP",
            "demoJS",
            "demoTIER"
        ]
    );
    assert_eq!(operator.users("demoJS").unwrap(), ["plain", "scoped"]);
    assert_eq!(operator.users("demoEXP").unwrap(), Vec::<String>::new());
    let sub = operator.account("demoJS").unwrap().claims.standard.sub;
    assert_eq!(operator.find_account(&accounts, &sub).unwrap(), "demoJS");
    let user = operator.user("demoJS", "scoped").unwrap();
    assert_eq!(
        operator.find_user("demoJS", Some(user.sub())).unwrap().name,
        "scoped"
    );
    assert_eq!(operator.find_user("SYS", None).unwrap().name, "sys");
    assert_eq!(operator.find_user("demoJS", None).unwrap_err().code(), 2);
    assert!(
        operator
            .find_user("demoEXP", None)
            .unwrap_err()
            .to_string()
            .contains("nkey add user -a demoEXP")
    );
}

#[test]
fn names_do_not_lead_out_of_the_folder() {
    let operator = fixture();
    for name in ["../demoJS/demoJS", "..", "a/b", ""] {
        assert_eq!(operator.account(name).unwrap_err().code(), 2, "{name}");
        assert_eq!(
            operator.user("demoJS", name).unwrap_err().code(),
            2,
            "{name}"
        );
    }
    let scratch = Scratch::new();
    file::make_dir(&scratch.join("x")).unwrap();
    fs::write(scratch.join("x/.nsc"), r#"{"name":"../../etc/x"}"#).unwrap();
    Operator::load(&scratch.path, "x").unwrap_err();
}

#[test]
fn a_token_in_the_wrong_place_is_named_with_its_file() {
    let scratch = Scratch::new();
    let operator = Operator::new(&scratch.path, "op", false).unwrap();
    let lock = Lock::take(&scratch.path).unwrap();
    let user = fixture().user("demoJS", "plain").unwrap();
    operator
        .write_account(&lock, "A", &user.token, None)
        .unwrap();
    let error = operator.account("A").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("A/A.jwt is not the token of an account"),
        "{error}"
    );
    operator
        .write_account(&lock, "A", &user.token, None)
        .unwrap_err();
    let bytes = user.token.clone().into_bytes();
    operator
        .write_account(&lock, "A", "x", Some(&bytes))
        .unwrap();
    assert!(
        operator
            .account("A")
            .unwrap_err()
            .to_string()
            .contains("A.jwt: ")
    );
}

#[test]
fn an_interrupted_init_is_cleared_and_nothing_else() {
    let scratch = Scratch::new();
    let lock = Lock::take(&scratch.path).unwrap();
    let operator = Operator::new(&scratch.path, "op", false).unwrap();
    operator.remove_unfinished(&lock, &[("op", "op")]).unwrap();
    operator.write_operator(&lock, "x", None).unwrap();
    operator.write_user(&lock, "op", "op", "x", None).unwrap();
    fs::write(operator.dir().join("accounts/.nkey-1.tmp"), "x").unwrap();
    operator.remove_unfinished(&lock, &[("op", "op")]).unwrap();
    let mut left = Vec::new();
    files(operator.dir(), 0, &mut left).unwrap();
    assert_eq!(left, Vec::<PathBuf>::new());
    operator.write_account(&lock, "mine", "x", None).unwrap();
    let error = operator
        .remove_unfinished(&lock, &[("op", "op")])
        .unwrap_err();
    assert!(
        error.to_string().contains("mine.jwt is in the way"),
        "{error}"
    );
    assert!(operator.account_jwt("mine").exists());
}
