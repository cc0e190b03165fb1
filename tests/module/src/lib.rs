//! SoftHSM2's module with a will of its own. The environment names the real module
//! (`NKEY_TEST_MODULE`) and a file (`NKEY_TEST_ORDERS`) that says before each call what to do:
//! nothing, or one of the words below.
#![expect(
    clippy::missing_safety_doc,
    reason = "the names and contracts are those of PKCS#11"
)]

use cryptoki_sys::*;
use std::sync::OnceLock;

struct Real {
    list: CK_FUNCTION_LIST,
    _library: libloading::Library,
}

struct Lists {
    real: Real,
    ours: CK_FUNCTION_LIST,
}

// SAFETY: function pointers and a library that stays loaded.
unsafe impl Send for Lists {}
// SAFETY: as above.
unsafe impl Sync for Lists {}

fn orders() -> String {
    let file = std::env::var_os("NKEY_TEST_ORDERS").unwrap_or_default();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.trim().to_owned()
}

fn load() -> Option<Lists> {
    let path = std::env::var_os("NKEY_TEST_MODULE")?;
    // SAFETY: the real module is one that the test trusts, called as the standard says.
    unsafe {
        let library = libloading::Library::new(path).ok()?;
        let get: libloading::Symbol<unsafe extern "C" fn(CK_FUNCTION_LIST_PTR_PTR) -> CK_RV> =
            library.get(b"C_GetFunctionList").ok()?;
        let mut list: CK_FUNCTION_LIST_PTR = std::ptr::null_mut();
        if get(&mut list) != CKR_OK {
            return None;
        }
        let real = *list;
        let ours = CK_FUNCTION_LIST {
            C_Sign: Some(sign),
            C_Login: Some(login),
            C_GetMechanismList: Some(mechanisms),
            ..real
        };
        Some(Lists {
            real: Real {
                list: real,
                _library: library,
            },
            ours,
        })
    }
}

fn lists() -> Option<&'static Lists> {
    static LISTS: OnceLock<Option<Lists>> = OnceLock::new();
    LISTS.get_or_init(load).as_ref()
}

/// The entry of every module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(out: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    match lists() {
        Some(lists) => {
            // SAFETY: the caller gives a place for a pointer; modules hand out lists for reading.
            unsafe { *out = (&raw const lists.ours).cast_mut() };
            CKR_OK
        }
        None => CKR_GENERAL_ERROR,
    }
}

fn hang() -> ! {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}

unsafe extern "C" fn sign(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    length: CK_ULONG,
    signature: CK_BYTE_PTR,
    room: CK_ULONG_PTR,
) -> CK_RV {
    let Some(real) = lists().and_then(|lists| lists.real.list.C_Sign) else {
        return CKR_GENERAL_ERROR;
    };
    // SAFETY: the arguments are the caller's; what is changed stays within their bounds.
    unsafe {
        if signature.is_null() {
            return real(session, data, length, signature, room);
        }
        match orders().as_str() {
            "hang" => hang(),
            "crash" => std::process::abort(),
            "lost" => CKR_SESSION_HANDLE_INVALID,
            "removed" => CKR_DEVICE_REMOVED,
            "long" => CKR_DATA_LEN_RANGE,
            "error" => CKR_FUNCTION_FAILED,
            "prefix" => real(session, data, length.min(32), signature, room),
            "zeros" => {
                std::ptr::write_bytes(signature, 0, 64);
                CKR_OK
            }
            "short" => {
                let result = real(session, data, length, signature, room);
                *room = 10;
                result
            }
            // The signature of another message.
            "replay" => real(session, b"other".as_ptr().cast_mut(), 5, signature, room),
            "bit" => {
                let result = real(session, data, length, signature, room);
                *signature ^= 1;
                result
            }
            _ => real(session, data, length, signature, room),
        }
    }
}

unsafe extern "C" fn login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: CK_UTF8CHAR_PTR,
    length: CK_ULONG,
) -> CK_RV {
    match orders().as_str() {
        "login-hang" => hang(),
        "login-crash" => {
            note();
            std::process::abort()
        }
        "login-blocked" => CKR_PIN_LOCKED,
        _ => match lists().and_then(|lists| lists.real.list.C_Login) {
            // SAFETY: the arguments are the caller's.
            Some(real) => unsafe { real(session, user, pin, length) },
            None => CKR_GENERAL_ERROR,
        },
    }
}

/// Counts logins that crash, beside the orders.
fn note() {
    let mut file = std::env::var_os("NKEY_TEST_ORDERS").unwrap_or_default();
    file.push(".logins");
    let logins = std::fs::read_to_string(&file).unwrap_or_default();
    let _ = std::fs::write(file, logins + "x");
}

unsafe extern "C" fn mechanisms(
    slot: CK_SLOT_ID,
    list: CK_MECHANISM_TYPE_PTR,
    count: CK_ULONG_PTR,
) -> CK_RV {
    if orders() == "no-eddsa" {
        // SAFETY: the caller gives a place for a number.
        unsafe { *count = 0 };
        return CKR_OK;
    }
    match lists().and_then(|lists| lists.real.list.C_GetMechanismList) {
        // SAFETY: the arguments are the caller's.
        Some(real) => unsafe { real(slot, list, count) },
        None => CKR_GENERAL_ERROR,
    }
}
