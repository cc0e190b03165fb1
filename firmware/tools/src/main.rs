//! nkey-image BOARD ELF FOLDER: writes the board's flat image, UF2 file and build record
//! into the folder, and checks them.

use nkey_agent::token::uf2::{FLASH, Image};
use nkey_firmware::boards;
use nkey_image::record::Record;
use nkey_image::{check, flat, hex};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [board, elf, folder] => make(board, Path::new(elf), Path::new(folder)),
        _ => Err("nkey-image BOARD ELF FOLDER".into()),
    };
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("nkey-image: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(name: &str, elf: &Path, folder: &Path) -> Result<String, String> {
    let board = boards::ALL
        .into_iter()
        .find(|board| board.name == name)
        .ok_or(format!("there is no board '{name}'"))?;
    let bytes = std::fs::read(elf).map_err(|error| format!("{}: {error}", elf.display()))?;
    let flat = flat::read(&bytes)?;
    if flat.stack < check::STACK {
        return Err(format!(
            "{} bytes of stack, {} are wanted",
            flat.stack,
            check::STACK
        ));
    }
    let image = Image {
        family: check::family(&board)?,
        start: FLASH,
        payload: flat.bytes,
    };
    let file = image.write().map_err(|error| error.to_string())?;
    check::image(&board, &image.payload)?;
    check::uf2(&board, &file, &image.payload)?;
    let record = Record {
        board: board.name.into(),
        chip: board.chip.into(),
        version: nkey_firmware::VERSION.into(),
        compiler: flat.compiler,
        size: image.payload.len(),
        image_sha256: hex(&image.hash()),
        uf2_sha256: hex(&Sha256::digest(&file)),
    };
    let text = serde_json::to_string_pretty(&record).map_err(|error| error.to_string())?;
    let keep = |end: &str, bytes: &[u8]| {
        let path = folder.join(format!("{name}.{end}"));
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    keep("elf", &bytes)?;
    keep("bin", &image.payload)?;
    keep("uf2", &file)?;
    keep("json", format!("{text}\n").as_bytes())?;
    Ok(format!(
        "{name}: {} bytes, {}",
        record.size, record.image_sha256
    ))
}
