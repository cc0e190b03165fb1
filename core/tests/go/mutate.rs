//! Changes to canonical payloads.

use crate::random::Random;
use std::ops::Range;

/// Where things stand in a payload.
#[derive(Default)]
struct Places {
    objects: Vec<Object>,
    texts: Vec<Range<usize>>,
    numbers: Vec<Range<usize>>,
    /// Between two tokens, where white space may stand.
    gaps: Vec<usize>,
}

struct Object {
    members: Vec<Member>,
    /// Its keys are any text.
    free: bool,
    end: usize,
}

#[derive(Clone)]
struct Member {
    key: Range<usize>,
    value: Range<usize>,
}

impl Member {
    fn whole(&self) -> Range<usize> {
        self.key.start..self.value.end
    }
}

/// Reads a payload that is canonical.
struct Scan<'p> {
    text: &'p str,
    at: usize,
    generic: bool,
    places: Places,
}

impl Scan<'_> {
    fn peek(&self) -> u8 {
        self.text.as_bytes()[self.at]
    }

    fn step(&mut self) {
        self.places.gaps.push(self.at);
        self.at += 1;
    }

    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.at += 1;
        while self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        self.places.texts.push(start..self.at);
        start..self.at
    }

    fn value(&mut self, path: &[&str]) -> Range<usize> {
        let start = self.at;
        self.places.gaps.push(start);
        match self.peek() {
            b'{' => self.object(path),
            b'[' => {
                self.step();
                while self.peek() != b']' {
                    self.value(path);
                    if self.peek() == b',' {
                        self.step();
                    }
                }
                self.step();
            }
            b'"' => drop(self.string()),
            _ => {
                let rest = &self.text[start..];
                self.at += rest.find([',', ']', '}']).expect("an end");
                if !rest.starts_with(['t', 'f', 'n']) {
                    self.places.numbers.push(start..self.at);
                }
            }
        }
        start..self.at
    }

    fn object(&mut self, path: &[&str]) {
        let mut members = Vec::new();
        self.step();
        while self.peek() != b'}' {
            let key = self.string();
            self.step();
            let text = self.text;
            let inner = [path, &[&text[key.start + 1..key.end - 1]]].concat();
            let value = self.value(&inner);
            members.push(Member { key, value });
            if self.peek() == b',' {
                self.step();
            }
        }
        self.step();
        let named = path
            .last()
            .is_some_and(|key| ["revocations", "mappings", "tiered_limits"].contains(key));
        self.places.objects.push(Object {
            members,
            free: named || (self.generic && path.first() == Some(&"nats")),
            end: self.at - 1,
        });
    }
}

/// The kinds of change. Of the first ones each makes another spelling, or another reading in Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Reordered,
    Repeated,
    Respelled,
    RepeatedRespelled,
    Unknown,
    Trailing,
    Space,
    Escape,
    Number,
    Null,
    Removed,
    Replaced,
    OtherCase,
    Byte,
}

impl Kind {
    pub const ALL: [Kind; 14] = [
        Kind::Reordered,
        Kind::Repeated,
        Kind::Respelled,
        Kind::RepeatedRespelled,
        Kind::Unknown,
        Kind::Trailing,
        Kind::Space,
        Kind::Escape,
        Kind::Number,
        Kind::Null,
        Kind::Removed,
        Kind::Replaced,
        Kind::OtherCase,
        Kind::Byte,
    ];

    /// Whether the result is never canonical, unless the object has free keys.
    pub fn is_never_canonical(self) -> bool {
        self <= Kind::Null
    }
}

/// A changed payload.
pub struct Changed {
    pub payload: Vec<u8>,
    /// It must be refused.
    pub refused: bool,
}

const VALUES: [&str; 12] = [
    "0", "1", "-1", "7.5", "\"\"", "\"x\"", "\"*\"", "true", "false", "[]", "{}", "[\"a\"]",
];

/// Changes a payload; none if it has no place for this kind.
pub fn change(kind: Kind, text: &str, generic: bool, random: &mut Random) -> Option<Changed> {
    let mut scan = Scan {
        text,
        at: 0,
        generic,
        places: Places::default(),
    };
    scan.value(&[]);
    let places = scan.places;
    let replaced =
        |range: Range<usize>, with: &str| [&text[..range.start], with, &text[range.end..]].concat();
    let inserted = |at: usize, what: &str| replaced(at..at, what);
    let with_members: Vec<_> = places
        .objects
        .iter()
        .filter(|object| object.members.len() > usize::from(kind == Kind::Reordered))
        .collect();
    let object = random.pick(&with_members);
    let index = random.below(object.members.len());
    let member = &object.members[index];
    let mut refused = kind.is_never_canonical();
    let changed = match kind {
        Kind::Reordered => {
            let [first, second] =
                [index.max(1) - 1, index.max(1)].map(|at| object.members[at].whole());
            let swapped = format!("{},{}", &text[second.clone()], &text[first.clone()]);
            replaced(first.start..second.end, &swapped)
        }
        Kind::Repeated | Kind::RepeatedRespelled => {
            let key = &text[member.key.clone()];
            let key = if kind == Kind::Repeated {
                key.to_owned()
            } else {
                refused &= !object.free;
                respelled(key, random)?
            };
            let value = if random.chance(50) {
                &text[member.value.clone()]
            } else {
                random.pick(&VALUES)
            };
            let last = object
                .members
                .last()
                .map_or(object.end, |last| last.value.end);
            let at = random.pick(&[member.value.end, last]);
            inserted(at, &format!(",{key}:{value}"))
        }
        Kind::Respelled => {
            refused &= !object.free;
            replaced(
                member.key.clone(),
                &respelled(&text[member.key.clone()], random)?,
            )
        }
        Kind::Unknown => {
            refused &= !object.free;
            let key = random.pick(&["x", "zzz", "Name2", "", "typ", "iat ", "sub\\u0000"]);
            inserted(
                member.key.start,
                &format!("\"{key}\":{},", random.pick(&VALUES)),
            )
        }
        Kind::Trailing => {
            let what = random.pick(&[
                " ", "\n", "\t", "\r\n", "{}", "x", ",", "}", "null", "\0", "\u{feff}",
            ]);
            inserted(text.len(), what)
        }
        Kind::Space => inserted(
            random.pick(&places.gaps),
            random.pick(&[" ", "\n", "\t", "\r", "  "]),
        ),
        Kind::Escape => {
            let range = random.pick(&places.texts);
            replaced(range.clone(), &escaped(&text[range], random)?)
        }
        Kind::Number => {
            let range = random.pick(&places.numbers);
            let number = &text[range.clone()];
            let other = match random.below(5) {
                0 if !number.contains(['.', 'e']) => format!("{number}.0"),
                1 if !number.contains('e') => format!("{number}e0"),
                2 if !number.contains('e') => format!("{number}E+0"),
                3 if number.contains('.') && !number.contains('e') => format!("{number}0"),
                4 if !number.starts_with('-') => format!("0{number}"),
                _ => format!("{number}00").replacen("00", "e-0", 1),
            };
            if other == number {
                return None;
            }
            // Digits may have been cut into another number.
            refused = other.contains(['.', 'e', 'E']) && !generic || other.starts_with('0');
            replaced(range, &other)
        }
        Kind::Null => {
            refused &= !object.free;
            replaced(member.value.clone(), "null")
        }
        Kind::Removed => {
            let mut range = member.whole();
            if index + 1 < object.members.len() {
                range.end += 1;
            } else if index > 0 {
                range.start -= 1;
            }
            replaced(range, "")
        }
        Kind::Replaced => replaced(member.value.clone(), random.pick(&VALUES)),
        Kind::OtherCase => {
            let range = random.pick(&places.texts);
            replaced(range.clone(), &respelled(&text[range], random)?)
        }
        Kind::Byte => {
            let mut bytes = text.as_bytes().to_vec();
            let at = random.below(bytes.len());
            bytes[at] = if random.chance(50) {
                b' ' + random.below(95) as u8
            } else {
                random.next() as u8
            };
            return Some(Changed {
                refused: false,
                payload: bytes,
            });
        }
    };
    Some(Changed {
        refused,
        payload: changed.into_bytes(),
    })
}

/// The same letters to Go.
fn respelled(text: &str, random: &mut Random) -> Option<String> {
    let letters: Vec<_> = text
        .char_indices()
        .filter(|(at, letter)| letter.is_ascii_alphabetic() && !text[..*at].ends_with('\\'))
        .filter(|(at, _)| !text[..*at].contains('\\'))
        .collect();
    if letters.is_empty() {
        return None;
    }
    let (at, letter) = random.pick(&letters);
    let other = match letter.to_ascii_lowercase() {
        's' if random.chance(70) => 'ſ',
        'k' if random.chance(70) => '\u{212A}',
        _ if letter.is_ascii_lowercase() => letter.to_ascii_uppercase(),
        _ => letter.to_ascii_lowercase(),
    };
    Some(format!("{}{other}{}", &text[..at], &text[at + 1..]))
}

/// The same text with one letter in another spelling.
fn escaped(text: &str, random: &mut Random) -> Option<String> {
    let inner = &text[1..text.len() - 1];
    let mut pieces = Vec::new();
    let mut rest = inner;
    while let Some(first) = rest.chars().next() {
        let len = match rest.as_bytes() {
            [b'\\', b'u', ..] => 6,
            [b'\\', ..] => 2,
            _ => first.len_utf8(),
        };
        pieces.push(&rest[..len]);
        rest = &rest[len..];
    }
    if pieces.is_empty() {
        return None;
    }
    let at = random.below(pieces.len());
    let hex = |code: u32| format!("\\u{code:04x}");
    let other = match pieces[at] {
        "\\n" => hex(10),
        "\\r" => hex(13),
        "\\t" => hex(9),
        "\\b" => hex(8),
        "\\f" => hex(12),
        "\\\\" => hex(92),
        "\\\"" => hex(34),
        "/" => "\\/".to_owned(),
        piece if piece.starts_with("\\u") => {
            let code = u32::from_str_radix(&piece[2..], 16).ok()?;
            let upper = format!("\\u{}", piece[2..].to_uppercase());
            if upper != piece && random.chance(50) {
                upper
            } else {
                char::from_u32(code)?.to_string()
            }
        }
        piece => {
            let mut units = [0; 2];
            let letter = piece.chars().next()?;
            letter
                .encode_utf16(&mut units)
                .iter()
                .map(|unit| hex(u32::from(*unit)))
                .collect()
        }
    };
    let before: String = pieces[..at].concat();
    Some(format!("\"{before}{other}{}\"", pieces[at + 1..].concat()))
}
