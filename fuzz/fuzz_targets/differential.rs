#![no_main]

use nkey_fuzz::go::Go;
use std::sync::Mutex;

static GO: Mutex<Option<Go>> = Mutex::new(None);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut go = GO.lock().expect("no panic before");
    nkey_fuzz::checks::differential(data, go.get_or_insert_with(Go::start));
});
