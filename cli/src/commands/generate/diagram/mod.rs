//! `nkey generate diagram`.

pub mod component;
mod drawing;
mod mermaid;
pub mod object;
mod svg;

use crate::context::Context;
use crate::error::Error;
use crate::store::file;
use clap::{Subcommand, ValueEnum};
use drawing::Drawing;
use std::path::PathBuf;

/// Generate a picture of the store
#[derive(Subcommand)]
pub enum Command {
    /// Who exports what to whom
    Component(component::Args),
    /// The operator, its accounts and users, and what they say
    Object(object::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Component(args) => component::run(args, ctx),
            Command::Object(args) => object::run(args, ctx),
        }
    }
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Mermaid, which many editors and forges show
    Mermaid,
    /// An SVG picture
    Svg,
}

/// Where a picture goes.
#[derive(clap::Args)]
struct OutputFlags {
    /// Write to FILE instead of standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "--",
        hide_default_value = true
    )]
    output_file: PathBuf,
    /// How to write it [default: svg for a FILE that ends so, else mermaid]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl OutputFlags {
    fn write(&self, ctx: &mut Context, drawing: &Drawing) -> Result<(), Error> {
        let is_svg = self.output_file.extension().is_some_and(|end| end == "svg");
        let format = self
            .format
            .unwrap_or(if is_svg { Format::Svg } else { Format::Mermaid });
        let text = match format {
            Format::Mermaid => mermaid::text(drawing),
            Format::Svg => svg::text(drawing),
        };
        if self.output_file.as_os_str() == "--" {
            return ctx.out.bytes(text.as_bytes());
        }
        file::write_output(&self.output_file, text.as_bytes(), true)?;
        ctx.out
            .note(format!("wrote {}", self.output_file.display()));
        Ok(())
    }
}
