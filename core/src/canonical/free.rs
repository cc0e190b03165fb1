//! The free members of generic claims.

use super::object::{Reader, ascends, same_fold};
use super::{MAX_DEPTH, Value, Why};
use crate::claims::{ClaimType, Ty};
use crate::json::{Decoded, go_float};

impl Reader<'_, '_> {
    /// The free members of a generic claim's `nats`; keys of Go's generic fields keep their meaning.
    pub(super) fn generic(&mut self) -> Result<(), Why> {
        let mut pending = self.open()?;
        let mut before: Option<&str> = None;
        let mut version = false;
        while let Some((key, at)) = pending {
            let reserved = ["type", "tags", "version"]
                .into_iter()
                .find(|known| Decoded::new(key).eq(known.bytes()) || same_fold(key, known));
            if before.is_some_and(|before| !ascends(before, key)) {
                self.cursor.at = at;
                return Err(Why::Ascending);
            }
            before = Some(key);
            match reserved {
                Some(known) if known != key => {
                    self.cursor.at = at;
                    return Err(Why::Reserved);
                }
                Some("version") => {
                    self.version()?;
                    version = true;
                }
                Some("type") => self.generic_type()?,
                Some("tags") => {
                    self.enter("tags")?;
                    self.value(&Ty::List(&Ty::Text), false)?;
                    self.leave();
                }
                _ => {
                    self.enter("*")?;
                    self.any(0)?;
                    self.leave();
                }
            }
            pending = self.next()?;
        }
        if !version {
            return Err(Why::Missing("version"));
        }
        self.close(None, &[])
    }

    fn version(&mut self) -> Result<(), Why> {
        if self.cursor.number()? == (false, 2) {
            Ok(())
        } else {
            Err(Why::Version)
        }
    }

    fn generic_type(&mut self) -> Result<(), Why> {
        self.enter("type")?;
        let raw = self.cursor.string()?;
        if raw.is_empty() {
            return Err(Why::Zero);
        }
        // Go refuses the two old types, and reads a known one as that claim.
        let claim = ClaimType::from_name(raw);
        if claim != ClaimType::Generic || matches!(raw, "cluster" | "server") {
            return Err(Why::Type(claim));
        }
        self.leaf(Value::Text(raw));
        self.leave();
        Ok(())
    }

    /// Any JSON value in Go's spelling; numbers as float64, which is how Go reads them.
    pub(super) fn any(&mut self, depth: usize) -> Result<(), Why> {
        if depth == MAX_DEPTH {
            return Err(Why::Depth);
        }
        match self.cursor.peek() {
            Some(b'"') => {
                let raw = self.cursor.string()?;
                self.leaf(Value::Text(raw));
            }
            Some(b'{') => {
                let mut pending = self.open()?;
                let mut before: Option<&str> = None;
                while let Some((key, at)) = pending {
                    if before.is_some_and(|before| !ascends(before, key)) {
                        self.cursor.at = at;
                        return Err(Why::Ascending);
                    }
                    before = Some(key);
                    self.any(depth + 1)?;
                    pending = self.next()?;
                }
                self.close(None, &[])?;
            }
            Some(b'[') => {
                self.cursor.want(b'[', "an array")?;
                if self.cursor.take(b']') {
                    return Ok(());
                }
                loop {
                    self.any(depth + 1)?;
                    if !self.cursor.take(b',') {
                        break;
                    }
                }
                self.cursor.want(b']', "a comma or a closing bracket")?;
            }
            Some(b'-' | b'0'..=b'9') => self.float()?,
            _ if self.cursor.word("true")
                || self.cursor.word("false")
                || self.cursor.word("null") => {}
            _ => return self.cursor.want(b'"', "a value"),
        }
        Ok(())
    }

    fn float(&mut self) -> Result<(), Why> {
        let start = self.cursor.at;
        while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.cursor.peek() {
            self.cursor.at += 1;
        }
        let raw = &self.cursor.text()[start..self.cursor.at];
        match raw.parse::<f64>() {
            Ok(value) if value.is_finite() && go_float(value) == raw => Ok(()),
            _ => Err(Why::Number),
        }
    }
}
