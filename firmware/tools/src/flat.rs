//! An ELF file as it lies in flash.

use nkey_agent::token::uf2::{FLASH, PROGRAM_LEN};
use object::elf::PT_LOAD;
use object::read::elf::{ElfFile32, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol};

/// What an ELF file says.
pub struct Flat {
    /// Flash from its beginning to the image's end.
    pub bytes: Vec<u8>,
    /// Bytes of the stack.
    pub stack: u32,
    /// The compiler.
    pub compiler: String,
}

/// Reads an ELF file.
///
/// # Errors
/// In words.
pub fn read(elf: &[u8]) -> Result<Flat, String> {
    let file: ElfFile32<'_, Endianness> =
        ElfFile32::parse(elf).map_err(|error| format!("not an ELF file: {error}"))?;
    let symbol = |name: &str| {
        file.symbols()
            .find(|symbol| symbol.name() == Ok(name))
            .map(|symbol| symbol.address() as u32)
            .ok_or(format!("the symbol {name} is missing"))
    };
    let end = symbol("__image_end")?;
    if symbol("__image_start")? != FLASH || end <= FLASH {
        return Err("the image does not begin where flash does".into());
    }
    let len = (end - FLASH) as usize;
    if len > PROGRAM_LEN {
        return Err(format!("{len} bytes of program, {PROGRAM_LEN} are allowed"));
    }
    let mut bytes = vec![0; len];
    for segment in file.elf_program_headers() {
        let data = segment
            .data(file.endian(), elf)
            .map_err(|()| "a segment lies outside of the file")?;
        if segment.p_type(file.endian()) != PT_LOAD || data.is_empty() {
            continue;
        }
        let from = segment.p_paddr(file.endian()).wrapping_sub(FLASH) as usize;
        let place = from
            .checked_add(data.len())
            .and_then(|to| bytes.get_mut(from..to));
        place
            .ok_or("a segment lies outside of the image")?
            .copy_from_slice(data);
    }
    let comment = file
        .section_by_name(".comment")
        .and_then(|section| section.data().ok())
        .unwrap_or_default();
    let compiler = String::from_utf8_lossy(comment)
        .split('\0')
        .find(|text| text.starts_with("rustc "))
        .ok_or("the compiler is not named")?
        .to_owned();
    Ok(Flat {
        bytes,
        stack: symbol("_stack_start")?.saturating_sub(symbol("_stack_end")?),
        compiler,
    })
}
