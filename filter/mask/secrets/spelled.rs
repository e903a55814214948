//! Secrets whose characters may be written as escapes, each in a way of its own.
//!
//! | where | escapes |
//! |---|---|
//! | JSON, and strings of it in one another | `\u0073`, `\/`, behind up to 16 backslashes |
//! | JavaScript, Python | `\x73` |
//! | HTML, XML | `&#115;`, `&#x73;`, `&amp;` and the like |
//! | URLs | `%73` |
//!
//! Whoever reads one of these reads the secret, whatever of it was escaped: writers escape what they
//! must, and a model is free to escape what it likes.

/// More backslashes in front of one character stand for no string that is read.
const MAX_BACKSLASHES: usize = 16;
/// The most digits of a numeric character reference that are read.
const MAX_DIGITS: usize = 8;
/// The most bytes of an escape that stands for a character of one UTF-16 unit, and of two.
const MOST_BYTES: usize = MAX_BACKSLASHES + 5;

/// Character references by name.
const NAMES: [(&[u8], char); 5] = [
    (b"amp;", '&'),
    (b"lt;", '<'),
    (b"gt;", '>'),
    (b"quot;", '"'),
    (b"apos;", '\''),
];

/// Secrets, to be found where at least one of their characters is an escape.
#[derive(Default)]
pub(crate) struct Spelled {
    secrets: Vec<Secret>,
    /// The characters of ASCII that any of them has, as bits.
    ascii: u128,
    /// Whether any has another.
    others: bool,
    /// The most bytes that one is written in.
    most: usize,
}

struct Secret {
    chars: Box<[Letter]>,
    bytes: Box<[u8]>,
}

/// A character, and where it stands in the secret.
#[derive(Clone, Copy)]
struct Letter {
    letter: char,
    from: usize,
}

/// Whether a secret stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It does, up to here.
    Ends(usize),
    /// That depends on bytes that have not come.
    Open,
    /// It doesn't.
    No,
}

/// Where a secret stands, or may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) from: usize,
    /// Where it ends; `None` if that depends on bytes that have not come.
    pub(crate) to: Option<usize>,
}

impl Spelled {
    /// Those of the secrets that are written in no more than `most` bytes.
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a str>, most: usize) -> Self {
        let mut this = Self::default();
        for secret in secrets.map(Secret::new).filter(|it| it.most() <= most) {
            for one in &secret.chars {
                match u32::from(one.letter) {
                    value @ 0..128 => this.ascii |= 1 << value,
                    _ => this.others = true,
                }
            }
            this.most = this.most.max(secret.most());
            this.secrets.push(secret);
        }
        // One that begins with another is the one that is found.
        base::sort::sort_by_key(&mut this.secrets, |it| std::cmp::Reverse(it.chars.len()));
        this
    }

    /// The most bytes that one of them is written in.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Tells `visit` of the places of secrets whose first escape stands at or behind `from`, by where
    /// that is, as long as it says so. What ends with the bytes is open, unless they are `last`.
    pub(crate) fn visit(
        &self,
        bytes: &[u8],
        from: usize,
        last: bool,
        mut visit: impl FnMut(Place) -> bool,
    ) {
        let mut at = from;
        while let Some(mark) = next_mark(bytes, at) {
            if self.is_another(bytes.get(mark..).unwrap_or_default()) {
                at = mark + 1;
                continue;
            }
            let (start, next) = match bytes.get(mark) {
                Some(b'\\') => run_around(bytes, mark),
                _ => (mark, mark + 1),
            };
            at = next;
            let read = escape(bytes.get(start..).unwrap_or_default(), last);
            let may_be = match read {
                Read::No => false,
                Read::Open => true,
                Read::Letter(letter, _) => self.has(letter),
            };
            if !may_be {
                continue;
            }
            for secret in &self.secrets {
                for place in secret.places(bytes, (start, read), last) {
                    if !visit(place) {
                        return;
                    }
                }
            }
        }
    }

    /// Whether the bytes begin with an escape such as `\n` and `\"`, of which no secret has the character.
    fn is_another(&self, bytes: &[u8]) -> bool {
        match bytes {
            [b'\\', b'\\' | b'u' | b'x', ..] => false,
            [b'\\', mark, ..] if mark.is_ascii_punctuation() => !self.has(char::from(*mark)),
            [b'\\', mark, ..] => mark.is_ascii_alphanumeric(),
            _ => false,
        }
    }

    fn has(&self, letter: char) -> bool {
        match u32::from(letter) {
            value @ 0..128 => self.ascii & (1 << value) != 0,
            _ => self.others,
        }
    }

    /// Whether a secret stands at the front of the bytes.
    pub(crate) fn at_front(&self, bytes: &[u8], last: bool) -> Reading {
        let mut readings = self.secrets.iter().map(|it| it.read(bytes, (0, 0), last));
        let first = readings.find(|reading| *reading != Reading::No);
        first.unwrap_or(Reading::No)
    }
}

impl Secret {
    fn new(secret: &str) -> Self {
        let letters = secret.char_indices();
        Self {
            chars: letters
                .map(|(from, letter)| Letter { letter, from })
                .collect(),
            bytes: secret.as_bytes().into(),
        }
    }

    /// The most bytes that it is written in.
    fn most(&self) -> usize {
        let units = self.chars.iter().map(|it| it.letter.len_utf16());
        units.fold(0, |sum, units| sum.saturating_add(units * MOST_BYTES))
    }

    /// The places where the escape at `start` is the first of it.
    fn places(
        &self,
        bytes: &[u8],
        (start, read): (usize, Read),
        last: bool,
    ) -> impl Iterator<Item = Place> {
        let front = bytes.get(..start).unwrap_or_default();
        let fronts = self.chars.iter().enumerate().filter(move |(_, one)| {
            let before = self.bytes.get(..one.from).unwrap_or_default();
            let fits = match read {
                Read::Letter(letter, _) => letter == one.letter,
                Read::Open => true,
                Read::No => false,
            };
            fits && front.ends_with(before)
        });
        fronts.filter_map(move |(index, one)| {
            let reading = match read {
                Read::Letter(_, length) => self.read(bytes, (index + 1, start + length), last),
                Read::Open => Reading::Open,
                Read::No => Reading::No,
            };
            let from = start - one.from;
            match reading {
                Reading::Ends(to) => Some(Place { from, to: Some(to) }),
                Reading::Open => Some(Place { from, to: None }),
                Reading::No => None,
            }
        })
    }

    /// Reads the secret from this character on, at this place.
    fn read(&self, bytes: &[u8], (index, mut at): (usize, usize), last: bool) -> Reading {
        let open = if last { Reading::No } else { Reading::Open };
        for one in self.chars.get(index..).unwrap_or_default() {
            let rest = bytes.get(at..).unwrap_or_default();
            match escape(rest, last) {
                Read::Letter(letter, length) if letter == one.letter => {
                    at += length;
                    continue;
                }
                Read::Open => return Reading::Open,
                Read::Letter(..) | Read::No => {}
            }
            let to = one.from + one.letter.len_utf8();
            let plain = self.bytes.get(one.from..to).unwrap_or_default();
            if rest.starts_with(plain) {
                at += plain.len();
            } else if plain.starts_with(rest) {
                return open;
            } else {
                return Reading::No;
            }
        }
        Reading::Ends(at)
    }
}

/// What some bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// An escape for this character, of so many bytes.
    Letter(char, usize),
    /// What may become one.
    Open,
    /// None.
    No,
}

fn next_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memchr3(b'\\', b'&', b'%', rest).map(|at| from + at)
}

/// Where the backslashes begin that belong to what follows those around `at`, and where that is.
fn run_around(bytes: &[u8], at: usize) -> (usize, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    let end = at + backslashes(rest);
    let front = bytes.get(..at).unwrap_or_default();
    let before = front.iter().rev().take(MAX_BACKSLASHES);
    let start = at - before.take_while(|byte| **byte == b'\\').count();
    (start.max(end.saturating_sub(MAX_BACKSLASHES)), end)
}

fn backslashes(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| *byte != b'\\');
    end.unwrap_or(bytes.len())
}

fn escape(bytes: &[u8], last: bool) -> Read {
    let read = match bytes.first() {
        Some(b'\\') => backslash(bytes),
        Some(b'&') => reference(bytes.get(1..).unwrap_or_default(), last),
        Some(b'%') => percent(bytes),
        _ => Read::No,
    };
    match read {
        Read::Open if last => Read::No,
        read => read,
    }
}

fn backslash(bytes: &[u8]) -> Read {
    let run = backslashes(bytes);
    if run > MAX_BACKSLASHES {
        return Read::No;
    }
    let rest = bytes.get(run..).unwrap_or_default();
    let unit = match rest.split_first() {
        None => return Read::Open,
        Some((b'u', digits)) => hex::<4>(digits),
        Some((b'x', digits)) => hex::<2>(digits),
        Some((mark, _)) if mark.is_ascii_punctuation() => {
            return Read::Letter(char::from(*mark), run + 1);
        }
        Some(_) => return Read::No,
    };
    let (value, digits) = match unit {
        Ok(unit) => unit,
        Err(read) => return read,
    };
    let length = run + 1 + digits;
    if let Some(letter) = char::from_u32(value) {
        return Read::Letter(letter, length);
    }
    // The first of two units.
    let rest = bytes.get(length..).unwrap_or_default();
    let run = backslashes(rest);
    let second = match rest.get(run..).unwrap_or_default().split_first() {
        None if run <= MAX_BACKSLASHES => return Read::Open,
        Some((b'u', digits)) if (1..=MAX_BACKSLASHES).contains(&run) => hex::<4>(digits),
        _ => return Read::No,
    };
    match second {
        Ok((second, _)) => match pair(value, second) {
            Some(letter) => Read::Letter(letter, length + run + 5),
            None => Read::No,
        },
        Err(read) => read,
    }
}

/// The character of two units of UTF-16.
fn pair(first: u32, second: u32) -> Option<char> {
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    char::decode_utf16(units).next()?.ok()
}

/// The value of the first `N` digits, and how many these are; otherwise what the bytes are.
fn hex<const N: usize>(bytes: &[u8]) -> Result<(u32, usize), Read> {
    let digits = bytes.get(..N).unwrap_or(bytes);
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Read::No);
    }
    if digits.len() < N {
        return Err(Read::Open);
    }
    number(digits, 16).map(|value| (value, N)).ok_or(Read::No)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let text = core::str::from_utf8(digits).ok()?;
    u32::from_str_radix(text, radix).ok()
}

/// Of what stands behind an ampersand. Readers do without the semicolon of a number.
fn reference(bytes: &[u8], last: bool) -> Read {
    let Some(rest) = bytes.strip_prefix(b"#") else {
        return named(bytes);
    };
    let (mark, radix, rest) = match rest {
        [] => return Read::Open,
        [b'x' | b'X', rest @ ..] => (3, 16, rest),
        rest => (2, 10, rest),
    };
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    let count = rest.iter().position(|byte| !is_digit(byte));
    let count = count.unwrap_or(rest.len());
    if count > MAX_DIGITS || (count == 0 && !rest.is_empty()) {
        return Read::No;
    }
    let end = match rest.get(count) {
        Some(b';') => 1,
        None if !last || count == 0 => return Read::Open,
        _ => 0,
    };
    let value = number(rest.get(..count).unwrap_or_default(), radix);
    let letter = value.and_then(char::from_u32);
    letter.map_or(Read::No, |letter| Read::Letter(letter, mark + count + end))
}

fn named(bytes: &[u8]) -> Read {
    let known = NAMES.iter().find(|(name, _)| bytes.starts_with(name));
    if let Some((name, letter)) = known {
        return Read::Letter(*letter, 1 + name.len());
    }
    match NAMES.iter().any(|(name, _)| name.starts_with(bytes)) {
        true => Read::Open,
        false => Read::No,
    }
}

/// The bytes of one character.
fn percent(bytes: &[u8]) -> Read {
    let mut letter = [0; 4];
    let mut rest = bytes;
    for (index, place) in (0..letter.len()).zip(1..) {
        rest = match rest.split_first() {
            Some((b'%', rest)) => rest,
            Some(_) => return Read::No,
            None => return Read::Open,
        };
        let value = match hex::<2>(rest) {
            Ok((value, _)) => value,
            Err(read) => return read,
        };
        rest = rest.get(2..).unwrap_or_default();
        let (Some(byte), Ok(value)) = (letter.get_mut(index), u8::try_from(value)) else {
            return Read::No;
        };
        *byte = value;
        let so_far = letter.get(..place).unwrap_or_default();
        match core::str::from_utf8(so_far) {
            Ok(text) => {
                let read = text.chars().next();
                return read.map_or(Read::No, |letter| Read::Letter(letter, 3 * place));
            }
            Err(error) if error.error_len().is_some() => return Read::No,
            Err(_) => {}
        }
    }
    Read::No
}
