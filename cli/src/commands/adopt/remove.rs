//! `nkey adopt --remove`: deleting the files with seeds that the agent holds.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::source;
use crate::store::Store;
use crate::store::inventory::Known;
use crate::store::keystore::SeedFile;
use crate::store::receive::read;
use nkey_core::claims::owned::{Claims, User};
use nkey_core::creds;
use std::fs::{self, File};
use std::path::Path;

/// Deletes the files of the keys, every one of them named before the first goes. A creds file
/// whose token is not in the store stays: with it the token would go.
///
/// # Errors
/// If one cannot be deleted, or has changed.
pub fn run(ctx: &mut Context, store: &Store, keys: &[Known]) -> Result<(), Error> {
    let mut doomed: Vec<(&Known, &SeedFile)> = Vec::new();
    let mut kept = 0;
    for known in keys {
        for file in &known.files {
            if file.is_creds()
                && let Err(reason) = stored(known, &file.path)
            {
                kept += 1;
                let path = shown(&file.path);
                ctx.out.note(format!(
                    "{path} stays: {reason}\ntype: nkey import user -f {path}"
                ));
                continue;
            }
            doomed.push((known, file));
        }
    }
    for (_, file) in &doomed {
        ctx.out.line(format!("delete {}", shown(&file.path)))?;
    }
    ctx.out.flush()?;
    let mut failed = 0;
    for (known, file) in &doomed {
        if let Err(error) = delete(known, file) {
            failed += 1;
            ctx.out.note(format!("not deleted: {error}"));
        }
    }
    if failed > 0 {
        return Err(Error::failed(format!(
            "{failed} of {} files were not deleted",
            doomed.len()
        )));
    }
    ctx.out.note(format!(
        "{} files deleted; backups and snapshots of {} may still hold the seeds",
        doomed.len(),
        shown(store.keystore().dir())
    ));
    match kept {
        0 => Ok(()),
        kept => Err(Error::failed(format!(
            "{kept} creds files stay, and the seeds in them"
        ))),
    }
}

fn shown(path: &Path) -> String {
    clean_inline(&path.display().to_string())
}

/// Whether the store has the token of a creds file, or a newer one of the same user.
fn stored(known: &Known, path: &Path) -> Result<(), Error> {
    let text = source::read_file(path, source::MAX_TEXT)?;
    let token = creds::parse_token(&text);
    let ours: Claims<User> =
        read(token).map_err(|error| Error::failed(format!("its JWT: {error}")))?;
    let have = known.uses.iter().any(|used| {
        used.token == token
            || read::<User>(&used.token).is_ok_and(|claims| {
                claims.standard.sub == ours.standard.sub && claims.standard.iat >= ours.standard.iat
            })
    });
    match have {
        true => Ok(()),
        false => Err(Error::failed("the store does not have its JWT")),
    }
}

/// Deletes a file that still holds what was read from it.
fn delete(known: &Known, file: &SeedFile) -> Result<(), Error> {
    let path = &file.path;
    let failed = |error: std::io::Error| Error::failed(format!("{}: {error}", path.display()));
    let text = source::read_file(path, source::MAX_TEXT)?;
    let same = creds::parse_seed(&text).is_ok_and(|seed| seed.public_key() == known.key);
    if !same {
        return Err(Error::failed(format!(
            "{} was changed by another program meanwhile",
            path.display()
        )));
    }
    fs::remove_file(path).map_err(failed)?;
    match path.parent() {
        Some(dir) => File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(failed),
        None => Ok(()),
    }
}
