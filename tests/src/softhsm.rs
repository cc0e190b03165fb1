//! A SoftHSM2 token of the test's own.

use crate::{Scratch, command, run};
use std::path::PathBuf;

/// A token labelled `nats` with the PIN `1234`, SO PIN `5678`.
pub struct SoftHsm(Scratch);

/// Where Debian and others have SoftHSM2's module.
const PLACES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

impl SoftHsm {
    /// A new token.
    #[expect(clippy::new_without_default, reason = "it runs a program")]
    pub fn new() -> SoftHsm {
        let softhsm = SoftHsm(Scratch::new());
        let tokens = softhsm.0.path().join("tokens");
        std::fs::create_dir(&tokens).expect("a folder of tokens");
        softhsm.0.file(
            "softhsm2.conf",
            format!(
                "directories.tokendir = {}\nlog.level = ERROR\n",
                tokens.display()
            ),
        );
        softhsm.tool(
            "softhsm2-util",
            "--init-token --free --label nats --pin 1234 --so-pin 5678",
        );
        softhsm
    }

    /// The real module.
    pub fn module() -> PathBuf {
        let found = PLACES.iter().map(PathBuf::from).find(|path| path.exists());
        found.expect("SoftHSM2: install softhsm2")
    }

    /// The environment that the module reads.
    pub fn environment(&self) -> (String, String) {
        let conf = self.0.path().join("softhsm2.conf");
        ("SOFTHSM2_CONF".to_owned(), conf.display().to_string())
    }

    /// Its folder.
    pub fn scratch(&self) -> &Scratch {
        &self.0
    }

    /// Runs a tool on the token; `arguments` divided by spaces.
    #[track_caller]
    pub fn tool(&self, program: &str, arguments: &str) -> String {
        let (name, value) = self.environment();
        let mut tool = command(program);
        tool.env(name, value);
        run(tool.args(arguments.split(' ')), "").ok()
    }

    /// Makes a key with OpenSC's pkcs11-tool.
    #[track_caller]
    pub fn make(&self, label: &str, id: &str) {
        let module = SoftHsm::module();
        self.tool(
            "pkcs11-tool",
            &format!(
                "--module {} --token-label nats --login --pin 1234 --keypairgen --key-type EC:edwards25519 --label {label} --id {id}",
                module.display()
            ),
        );
    }
}
