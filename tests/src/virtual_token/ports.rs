//! A root of sysfs and a folder of ports, in which a test plugs tokens in.

use crate::Scratch;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The two folders.
pub struct Ports(Scratch);

impl Ports {
    /// Without any token.
    #[expect(clippy::new_without_default, reason = "it makes folders")]
    pub fn new() -> Ports {
        let ports = Ports(Scratch::new());
        fs::create_dir_all(ports.class()).expect("a folder");
        fs::create_dir_all(ports.0.path().join("dev")).expect("a folder");
        ports
    }

    /// What `holders.toml` says of them, with these virtual tokens allowed.
    pub fn config(&self, allowed: &[&str]) -> String {
        let root = self.0.path().display();
        format!("allow_virtual = {allowed:?}\nsysfs = \"{root}/sys\"\ndev = \"{root}/dev\"\n")
    }

    /// The root of sysfs and the folder of the ports.
    pub fn folders(&self) -> (PathBuf, PathBuf) {
        (self.0.path().join("sys"), self.0.path().join("dev"))
    }

    fn class(&self) -> PathBuf {
        self.0.path().join("sys/class/tty")
    }

    /// Plugs a token in: its port, a name such as ttyACM0, leads to `line`.
    pub fn plug(&self, name: &str, serial: &str, line: &Path) {
        self.plug_device(name, ["1209", "0001", "NKey token", serial], line);
    }

    /// Plugs in a device with these ids, product string and serial number.
    pub fn plug_device(&self, name: &str, about: [&str; 4], line: &Path) {
        let device = self.0.path().join("sys/devices").join(name);
        fs::create_dir_all(device.join("1.0")).expect("a folder");
        for (file, text) in ["idVendor", "idProduct", "product", "serial"]
            .iter()
            .zip(about)
        {
            fs::write(device.join(file), format!("{text}\n")).expect("a file");
        }
        symlink(line, self.0.path().join("dev").join(name)).expect("a port");
        let class = self.class().join(name);
        fs::create_dir_all(&class).expect("a folder");
        symlink(device.join("1.0"), class.join("device")).expect("a link");
    }

    /// Pulls it out.
    pub fn unplug(&self, name: &str) {
        fs::remove_dir_all(self.class().join(name)).expect("the port's folder");
        fs::remove_dir_all(self.0.path().join("sys/devices").join(name)).expect("the device");
        fs::remove_file(self.0.path().join("dev").join(name)).expect("the port");
    }
}
