use super::*;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("nkey-records-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .unwrap();
        Scratch(path)
    }

    fn file(&self, key: &PublicKey) -> PathBuf {
        self.0.join(format!("enrolled/{key}.json"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn record(byte: u8, holder: &str) -> Record {
    let seed = Seed::from_bytes(Kind::Operator, [byte; 32]);
    Record {
        key: seed.public_key(),
        name: format!("key {byte}"),
        any_iat: byte == 2,
        holder: holder.to_owned(),
        slot: "9c".to_owned(),
        device: (byte == 1).then_some([7; 32]),
    }
}

#[test]
fn records_survive_and_belong_to_their_holder() {
    let scratch = Scratch::new("survive");
    let records = Records::open(&scratch.0).unwrap();
    let (one, two) = (record(1, "piv:1"), record(2, "ssh:x"));
    records.add(one.clone()).unwrap();
    records.add(two.clone()).unwrap();
    assert!(matches!(
        records.add(one.clone()),
        Err(StoreError::Exists(_))
    ));
    let metadata = std::fs::metadata(scratch.file(&one.key)).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);
    records.rename(&two.key, "other").unwrap();
    drop(records);
    let records = Records::open(&scratch.0).unwrap();
    assert_eq!(records.find(&one.key), Some(one.clone()));
    assert_eq!(records.infos_of("ssh:x")[0].name, "other");
    assert!(records.infos_of("ssh:x")[0].flags.any_iat);
    assert_eq!(records.infos_of("piv:1").len(), 1);
    assert_eq!(records.warnings(&["piv:1", "ssh:x"]), Vec::<String>::new());
    let lost = records.warnings(&["piv:1"]);
    assert!(lost.len() == 1 && lost[0].contains("ssh:x"), "{lost:?}");
    records.remove(&one.key).unwrap();
    assert!(!scratch.file(&one.key).exists());
    assert!(matches!(
        records.remove(&one.key),
        Err(StoreError::Unknown(_))
    ));
}

#[test]
fn a_damaged_record_is_a_warning_and_the_others_go_on() {
    let scratch = Scratch::new("damage");
    let records = Records::open(&scratch.0).unwrap();
    let (one, two, three) = (record(1, "a"), record(2, "a"), record(3, "a"));
    for record in [&one, &two, &three] {
        records.add(record.clone()).unwrap();
    }
    drop(records);
    std::fs::write(scratch.file(&one.key), "{\"public_key\":\"\u{1b}[31m").unwrap();
    std::fs::copy(scratch.file(&three.key), scratch.file(&two.key)).unwrap();
    std::fs::write(scratch.0.join("enrolled/.x.json.tmp"), "half").unwrap();
    let records = Records::open(&scratch.0).unwrap();
    assert_eq!(records.infos_of("a").len(), 1);
    let warnings = records.warnings(&["a"]).join("\n");
    assert!(
        warnings.contains("no record (line 1)") && warnings.contains("another key"),
        "{warnings}"
    );
    assert!(!warnings.contains('\u{1b}'));
    assert!(!scratch.0.join("enrolled/.x.json.tmp").exists());
}
