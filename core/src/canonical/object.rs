//! The structural level: follows a [`Shape`], member by member.

use super::cursor::Cursor;
use super::{MAX_DEPTH, Value, Visit, Why};
use crate::claims::{ClaimType, Member, Shape, Ty};
use crate::json::{Decoded, go_float};

/// Deepest path of any claim: `nats signing_keys * template pub allow *`, and room.
const MAX_PATH: usize = 12;

/// Go reads numbers in a scope as float64 first. From here on that is 2^63, which it then refuses.
const MAX_SCOPED: u64 = (1 << 63) - 512;

/// The top-level members that the caller wants, as they stand in the payload.
#[derive(Default)]
pub(super) struct Top<'a> {
    pub(super) aud: &'a str,
    pub(super) exp: i64,
    pub(super) jti: Option<(&'a str, core::ops::Range<usize>)>,
    pub(super) iat: i64,
    pub(super) iss: &'a str,
    pub(super) name: &'a str,
    pub(super) nbf: i64,
    pub(super) sub: &'a str,
}

/// A key that was read and not yet used, and where it starts.
pub(super) type Pending<'a> = Option<(&'a str, usize)>;

/// Reads a payload along the shapes, and shows each value to a visitor.
pub(super) struct Reader<'a, 'v> {
    pub(super) cursor: Cursor<'a>,
    pub(super) top: Top<'a>,
    pub(super) member: Option<&'static str>,
    path: heapless::Vec<&'static str, MAX_PATH>,
    scope: (Option<&'a str>, bool),
    visitor: &'v mut dyn Visit,
}

impl<'a, 'v> Reader<'a, 'v> {
    pub(super) fn new(text: &'a str, visitor: &'v mut dyn Visit) -> Reader<'a, 'v> {
        Reader {
            cursor: Cursor::new(text),
            top: Top::default(),
            member: None,
            path: heapless::Vec::new(),
            scope: (None, false),
            visitor,
        }
    }

    /// Opens an object and reads its first key, if it has one.
    pub(super) fn open(&mut self) -> Result<Pending<'a>, Why> {
        self.cursor.want(b'{', "an object")?;
        if self.cursor.peek() == Some(b'}') {
            return Ok(None);
        }
        self.key().map(Some)
    }

    fn key(&mut self) -> Result<(&'a str, usize), Why> {
        let at = self.cursor.at;
        let key = self.cursor.string()?;
        self.cursor.want(b':', "a colon")?;
        Ok((key, at))
    }

    /// After a value: the next key, if there is one.
    pub(super) fn next(&mut self) -> Result<Pending<'a>, Why> {
        if self.cursor.take(b',') {
            self.key().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Closes an object of these shapes. A key that is left over says why it does not belong.
    pub(super) fn close(
        &mut self,
        left: Pending<'a>,
        shapes: &[&'static Shape],
    ) -> Result<(), Why> {
        let Some((key, at)) = left else {
            return self.cursor.want(b'}', "a comma or a closing brace");
        };
        self.cursor.at = at;
        Err(shapes
            .iter()
            .find_map(|shape| find(shape, |known| known == key).map(Why::Order))
            .or_else(|| {
                shapes
                    .iter()
                    .find_map(|shape| find(shape, |known| same_fold(key, known)).map(Why::Case))
            })
            .unwrap_or(Why::UnknownKey(
                shapes.first().map_or("the claim", |shape| shape.name),
            )))
    }

    /// Reads the members of a shape in its order, as long as the pending key is the next of them.
    pub(super) fn members(
        &mut self,
        shape: &'static Shape,
        mut pending: Pending<'a>,
    ) -> Result<Pending<'a>, Why> {
        for member in shape.members {
            if let Ty::Flat(inner) = member.ty {
                pending = self.members(inner, pending)?;
            } else if let Some((_, at)) = pending.filter(|(key, _)| *key == member.key) {
                self.one(member, at)?;
                pending = self.next()?;
            }
        }
        Ok(pending)
    }

    fn one(&mut self, member: &'static Member, at: usize) -> Result<(), Why> {
        let outer = self.member.replace(member.key);
        self.enter(member.key)?;
        self.value(&member.ty, !member.always)?;
        if self.path.as_slice() == ["jti"]
            && let Some((_, range)) = &mut self.top.jti
        {
            *range = at..self.cursor.at;
        }
        self.path.pop();
        self.member = outer;
        Ok(())
    }

    pub(super) fn enter(&mut self, key: &'static str) -> Result<(), Why> {
        self.path.push(key).map_err(|_| Why::Depth)
    }

    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    fn leaf(&mut self, value: Value<'a>) {
        match (self.path.as_slice(), &value) {
            ([key], Value::Text(raw)) => match *key {
                "aud" => self.top.aud = raw,
                "jti" => self.top.jti = Some((raw, 0..0)),
                "iss" => self.top.iss = raw,
                "name" => self.top.name = raw,
                "sub" => self.top.sub = raw,
                _ => {}
            },
            ([key], _) => {
                let number = value.as_i64().unwrap_or_default();
                match *key {
                    "exp" => self.top.exp = number,
                    "iat" => self.top.iat = number,
                    "nbf" => self.top.nbf = number,
                    _ => {}
                }
            }
            (["nats", "signing_keys", "*", "key"], Value::Text(raw)) => self.scope.0 = Some(raw),
            (["nats", "signing_keys", "*", "kind"], _) => self.scope.1 = true,
            _ => {}
        }
        self.visitor.value(&self.path, value);
    }

    /// One value. Where Go omits zero, a zero is refused.
    fn value(&mut self, ty: &'static Ty, omit_zero: bool) -> Result<(), Why> {
        let nonzero = |zero: bool| {
            if zero && omit_zero {
                Err(Why::Zero)
            } else {
                Ok(())
            }
        };
        match ty {
            Ty::Text => {
                let raw = self.cursor.string()?;
                nonzero(raw.is_empty())?;
                self.leaf(Value::Text(raw));
            }
            Ty::OneOf(texts) => {
                let raw = self.cursor.string()?;
                if !texts.contains(&raw) {
                    return Err(Why::OneOf(texts));
                }
                self.leaf(Value::Text(raw));
            }
            Ty::Int { min, max } => {
                let (negative, magnitude) = self.cursor.number()?;
                let fits = if negative {
                    magnitude <= min.unsigned_abs() && *min < 0
                } else {
                    magnitude <= *max
                };
                if !fits || (self.path.get(1) == Some(&"signing_keys") && magnitude >= MAX_SCOPED) {
                    return Err(Why::Number);
                }
                nonzero(magnitude == 0)?;
                self.leaf(Value::Number {
                    negative,
                    magnitude,
                });
            }
            Ty::Flag => {
                if self.cursor.word("false") {
                    return Err(Why::Zero);
                }
                if !self.cursor.word("true") {
                    return Err(Why::Wanted("true"));
                }
                self.leaf(Value::Flag);
            }
            Ty::Sampling => self.sampling()?,
            Ty::List(item) => {
                let empty = self.list(|reader| reader.value(item, false))?;
                nonzero(empty)?;
            }
            Ty::Map(value) => self.map(|reader| reader.value(value, false), omit_zero)?,
            Ty::Object(shape) | Ty::Flat(shape) => {
                let pending = self.open()?;
                let left = self.members(shape, pending)?;
                self.close(left, &[shape])?;
            }
            Ty::SigningKeys(shape) => self.signing_keys(shape)?,
            Ty::Any => self.any(0)?,
        }
        Ok(())
    }

    fn sampling(&mut self) -> Result<(), Why> {
        if self.cursor.peek() == Some(b'"') {
            let raw = self.cursor.string()?;
            if raw != "headers" {
                return Err(Why::OneOf(&["headers"]));
            }
            self.leaf(Value::Text(raw));
            return Ok(());
        }
        let (negative, magnitude) = self.cursor.number()?;
        if negative || !(1..=100).contains(&magnitude) {
            return Err(Why::Number);
        }
        self.leaf(Value::Number {
            negative,
            magnitude,
        });
        Ok(())
    }

    /// An array; whether it is empty.
    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Why>) -> Result<bool, Why> {
        self.cursor.want(b'[', "an array")?;
        if self.cursor.take(b']') {
            return Ok(true);
        }
        self.enter("*")?;
        loop {
            item(self)?;
            if !self.cursor.take(b',') {
                break;
            }
        }
        self.leave();
        self.cursor.want(b']', "a comma or a closing bracket")?;
        Ok(false)
    }

    /// An object with free keys, which ascend by the bytes of the decoded key.
    fn map(
        &mut self,
        mut value: impl FnMut(&mut Self) -> Result<(), Why>,
        omit_zero: bool,
    ) -> Result<(), Why> {
        let mut pending = self.open()?;
        if pending.is_none() && omit_zero {
            return Err(Why::Zero);
        }
        self.enter("*")?;
        let mut before: Option<&str> = None;
        while let Some((key, at)) = pending {
            if before.is_some_and(|before| !ascends(before, key)) {
                self.cursor.at = at;
                return Err(Why::Ascending);
            }
            before = Some(key);
            value(self)?;
            pending = self.next()?;
        }
        self.leave();
        self.close(None, &[])
    }

    fn signing_keys(&mut self, shape: &'static Shape) -> Result<(), Why> {
        let mut before: Option<&str> = None;
        let empty = self.list(|reader| {
            let at = reader.cursor.at;
            let key = if reader.cursor.peek() == Some(b'"') {
                let raw = reader.cursor.string()?;
                reader.leaf(Value::Text(raw));
                raw
            } else {
                reader.scope = (None, false);
                let pending = reader.open()?;
                let left = reader.members(shape, pending)?;
                reader.close(left, &[shape])?;
                match reader.scope {
                    (Some(key), true) => key,
                    (None, _) => return Err(Why::Missing("key")),
                    (_, false) => return Err(Why::Missing("kind")),
                }
            };
            if before.is_some_and(|before| !ascends(before, key)) {
                reader.cursor.at = at;
                return Err(Why::Ascending);
            }
            before = Some(key);
            Ok(())
        })?;
        if empty { Err(Why::Zero) } else { Ok(()) }
    }

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
    fn any(&mut self, depth: usize) -> Result<(), Why> {
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

/// Whether two keys ascend by the bytes they decode to.
fn ascends(before: &str, after: &str) -> bool {
    if before.contains('\\') || after.contains('\\') {
        Decoded::new(before).lt(Decoded::new(after))
    } else {
        before < after
    }
}

/// The first known key of a shape that `test` holds for.
fn find(shape: &'static Shape, test: impl Fn(&str) -> bool + Copy) -> Option<&'static str> {
    shape.members.iter().find_map(|member| match member.ty {
        Ty::Flat(inner) => find(inner, test),
        _ => test(member.key).then_some(member.key),
    })
}

/// Whether Go takes `key` for the member `known`, which is ASCII: simple case folding, in
/// which U+017F reads as `s` and U+212A as `k` (`foldName` of Go's encoding/json).
pub(crate) fn same_fold(key: &str, known: &str) -> bool {
    key.chars().map(fold).eq(known.chars().map(fold))
}

/// The letter that stands for all that Go takes for the same in a key.
pub(crate) fn fold(letter: char) -> char {
    match letter {
        '\u{17F}' => 's',
        '\u{212A}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}
