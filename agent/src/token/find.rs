//! Which tokens are plugged in, from sysfs alone: no port is opened.

use nkey_core::token::{PRODUCT, SERIAL_PREFIX, USB_ID};
use std::fs;
use std::path::{Path, PathBuf};

/// Most bytes of a file in sysfs that are read.
const MAX_TEXT: usize = 256;

/// A token that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its serial number.
    pub serial: String,
    /// Its port.
    pub port: PathBuf,
}

/// The tokens under a root of sysfs, sorted by serial number; their ports are in `dev`.
pub fn find(sysfs: &Path, dev: &Path) -> Vec<Found> {
    let Ok(entries) = fs::read_dir(sysfs.join("class/tty")) else {
        return Vec::new();
    };
    let mut found: Vec<Found> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            if !name.starts_with("ttyACM") {
                return None;
            }
            // `device` is the interface; the USB device is the folder above it.
            let interface = sysfs.join("class/tty").join(&name).join("device");
            let device = fs::canonicalize(interface).ok()?.parent()?.to_owned();
            let serial = text(&device, "serial")?;
            let id = |name| u16::from_str_radix(&text(&device, name)?, 16).ok();
            let ours = (id("idVendor")?, id("idProduct")?) == USB_ID
                && text(&device, "product")? == PRODUCT
                && is_serial(&serial);
            ours.then(|| Found {
                serial,
                port: dev.join(name),
            })
        })
        .collect();
    found.sort();
    found
}

/// Serial numbers are shown and typed: the prefix, then letters, digits and hyphens.
fn is_serial(serial: &str) -> bool {
    serial.strip_prefix(SERIAL_PREFIX).is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

fn text(device: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(device.join(name)).ok()?;
    (text.len() <= MAX_TEXT).then(|| text.trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn device(root: &Path, tty: &str, values: [(&str, &str); 4]) {
        let device = root.join("devices").join(tty);
        let interface = device.join("1.0");
        fs::create_dir_all(&interface).unwrap();
        for (name, value) in values {
            fs::write(device.join(name), format!("{value}\n")).unwrap();
        }
        let class = root.join("class/tty").join(tty);
        fs::create_dir_all(&class).unwrap();
        symlink(interface, class.join("device")).unwrap();
    }

    #[test]
    fn only_what_is_a_token_in_every_respect_is_found() {
        let root = std::env::temp_dir().join(format!("nkey-sysfs-{}", std::process::id()));
        let folder = Folder(root.clone());
        let good = [
            ("idVendor", "1209"),
            ("idProduct", "0001"),
            ("product", PRODUCT),
            ("serial", "NKEY-E66138"),
        ];
        device(&root, "ttyACM1", good);
        let other = |at: usize, value| {
            let mut values = good;
            values[at].1 = value;
            values
        };
        device(&root, "ttyACM0", other(3, "NKEY-A1"));
        device(&root, "ttyACM2", other(0, "2e8a"));
        device(&root, "ttyACM3", other(1, "000a"));
        device(&root, "ttyACM4", other(2, "NKey token 2"));
        device(&root, "ttyACM5", other(3, "E66138"));
        device(&root, "ttyACM6", other(3, "NKEY-\u{1b}[2J"));
        device(&root, "ttyACM7", other(3, "NKEY-"));
        device(&root, "ttyS0", good);
        let found = find(&folder.0, Path::new("/dev"));
        let wanted = [("NKEY-A1", "/dev/ttyACM0"), ("NKEY-E66138", "/dev/ttyACM1")];
        assert_eq!(
            found,
            wanted.map(|(serial, port)| Found {
                serial: serial.to_owned(),
                port: port.into()
            })
        );
        assert_eq!(find(Path::new("/nowhere"), Path::new("/dev")), []);
    }
}
