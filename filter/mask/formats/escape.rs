//! JSON's string escapes (RFC 8259, section 7), read in pieces and written.

#[cfg(test)]
mod tests;

/// A piece of a string's content, as it stands and as it reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unit<'a> {
    /// Bytes that mean themselves; what is not a valid escape is among them.
    Plain(&'a [u8]),
    /// An escape, which can only be kept or dropped whole.
    Escape {
        /// As written.
        raw: &'a [u8],
        /// What it stands for in UTF-8; a lone surrogate is encoded as if it were a
        /// character, which no valid text contains.
        decoded: &'a [u8],
    },
}

/// The longest escape: a surrogate pair.
const MAX_ESCAPE_BYTES: usize = 12;
/// `\u` and four digits.
const UNICODE_ESCAPE_BYTES: usize = 6;

/// Reads the content of a string in pieces of any size.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unescape {
    /// The beginning of an escape whose end has not come.
    held: Vec<u8>,
}

impl Unescape {
    /// How many bytes wait for the rest of their escape.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes the next piece of the content, without the quotes around it.
    pub(super) fn push(&mut self, mut piece: &[u8], emit: &mut dyn FnMut(Unit<'_>)) {
        while !piece.is_empty() {
            if self.held.is_empty() {
                let plain = memchr::memchr(b'\\', piece).unwrap_or(piece.len());
                let (before, rest) = piece.split_at(plain);
                if !before.is_empty() {
                    emit(Unit::Plain(before));
                }
                piece = rest;
                // Most escapes are short and come whole.
                if let [b'\\', byte, rest @ ..] = piece
                    && let Some(decoded) = short(*byte)
                {
                    let raw = piece.get(..2).unwrap_or(piece);
                    emit(Unit::Escape {
                        raw,
                        decoded: &[decoded],
                    });
                    piece = rest;
                    continue;
                }
            }
            let Some((byte, rest)) = piece.split_first() else {
                return;
            };
            if self.byte(*byte, emit) {
                piece = rest;
            }
        }
    }

    /// The string ends: what is held is no escape.
    pub(super) fn finish(&mut self, emit: &mut dyn FnMut(Unit<'_>)) {
        self.give_up(emit);
    }

    /// Takes a byte of an escape; false when the byte is no part of it and has to be read anew.
    fn byte(&mut self, byte: u8, emit: &mut dyn FnMut(Unit<'_>)) -> bool {
        let at = self.held.len();
        let fits = match at % UNICODE_ESCAPE_BYTES {
            0 => byte == b'\\',
            // A pair needs a second `\u`; any other escape after a high surrogate stands alone.
            1 => at == 1 || byte == b'u',
            _ => byte.is_ascii_hexdigit(),
        };
        if !fits {
            self.give_up_before_retry(emit);
            return false;
        }
        self.held.push(byte);
        if at == 1 && byte != b'u' {
            self.simple(byte, emit);
        } else if self.held.len() == UNICODE_ESCAPE_BYTES {
            self.unit(emit);
        } else if self.held.len() == MAX_ESCAPE_BYTES {
            self.pair(emit);
        }
        true
    }

    /// A backslash and one more byte.
    fn simple(&mut self, byte: u8, emit: &mut dyn FnMut(Unit<'_>)) {
        let Some(decoded) = short(byte) else {
            emit(Unit::Plain(&self.held));
            self.held.clear();
            return;
        };
        emit(Unit::Escape {
            raw: &self.held,
            decoded: &[decoded],
        });
        self.held.clear();
    }

    /// One `\uXXXX` is complete; a high surrogate waits for its other half.
    fn unit(&mut self, emit: &mut dyn FnMut(Unit<'_>)) {
        let code = hex(self.held.get(2..UNICODE_ESCAPE_BYTES));
        if (0xD800..0xDC00).contains(&code) {
            return;
        }
        let mut buffer = [0; 4];
        emit(Unit::Escape {
            raw: &self.held,
            decoded: encode(code, &mut buffer),
        });
        self.held.clear();
    }

    /// A high surrogate and another `\uXXXX` are complete.
    fn pair(&mut self, emit: &mut dyn FnMut(Unit<'_>)) {
        let high = hex(self.held.get(2..UNICODE_ESCAPE_BYTES));
        let low = hex(self.held.get(UNICODE_ESCAPE_BYTES + 2..));
        if (0xDC00..0xE000).contains(&low) {
            let code = 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
            let mut buffer = [0; 4];
            emit(Unit::Escape {
                raw: &self.held,
                decoded: encode(code, &mut buffer),
            });
            self.held.clear();
        } else {
            self.lone(emit);
            self.unit(emit);
        }
    }

    /// Emits the high surrogate at the front, which has no other half.
    fn lone(&mut self, emit: &mut dyn FnMut(Unit<'_>)) {
        let mut buffer = [0; 4];
        let decoded = encode(hex(self.held.get(2..UNICODE_ESCAPE_BYTES)), &mut buffer);
        if let Some(raw) = self.held.get(..UNICODE_ESCAPE_BYTES) {
            emit(Unit::Escape { raw, decoded });
        }
        self.held.drain(..UNICODE_ESCAPE_BYTES.min(self.held.len()));
    }

    /// The next byte does not fit what is held.
    fn give_up_before_retry(&mut self, emit: &mut dyn FnMut(Unit<'_>)) {
        if self.held.len() > UNICODE_ESCAPE_BYTES {
            self.lone(emit);
            // A backslash followed by anything but `u` begins another escape.
            if self.held.len() == 1 {
                return;
            }
        }
        self.give_up(emit);
    }

    fn give_up(&mut self, emit: &mut dyn FnMut(Unit<'_>)) {
        if self.held.len() >= UNICODE_ESCAPE_BYTES {
            self.lone(emit);
        }
        if !self.held.is_empty() {
            emit(Unit::Plain(&self.held));
            self.held.clear();
        }
    }
}

/// What a backslash and this byte stand for.
pub(super) fn short(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' | b'/' => byte,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// The character that `\u` and these digits stand for; none for the half of a pair, and where
/// one is no digit.
pub(super) fn character(digits: [u8; 4]) -> Option<char> {
    let mut code = 0;
    for digit in digits {
        code = code << 4 | char::from(digit).to_digit(16)?;
    }
    char::from_u32(code)
}

/// The number that hexadecimal digits stand for.
fn hex(digits: Option<&[u8]>) -> u32 {
    digits.unwrap_or_default().iter().fold(0, |sum, digit| {
        let digit = char::from(*digit).to_digit(16).unwrap_or(0);
        (sum << 4) | digit
    })
}

/// UTF-8, for surrogates too.
fn encode(code: u32, buffer: &mut [u8; 4]) -> &[u8] {
    match char::from_u32(code) {
        Some(char) => char.encode_utf8(buffer).as_bytes(),
        None => {
            let [_, _, high, low] = code.to_be_bytes();
            *buffer = [
                0xE0 | (high >> 4),
                0x80 | ((high & 0x0F) << 2) | (low >> 6),
                0x80 | (low & 0x3F),
                0,
            ];
            buffer.get(..3).unwrap_or_default()
        }
    }
}

/// Appends `text` as the content of a JSON string.
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0..0x20 => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend(b"\\u00");
                out.extend([digit(byte >> 4), digit(byte & 0x0F)]);
            }
            _ => out.push(byte),
        }
    }
}
