#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nkey_fuzz::checks::creds(data));
