//! Signed notes with Ed25519 (c2sp.org/signed-note), and their keys.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::hash::Hash;

/// The longest note that is read, in bytes.
pub const MAX_NOTE_BYTES: usize = 64 << 10;

/// The most signatures that are looked at.
const MAX_SIGNATURES: usize = 64;

/// The type of Ed25519 keys that sign notes.
const ED25519: u8 = 1;

/// What a line with a signature begins with.
const DASH: &str = "\u{2014} ";

/// What the file of a private key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A public key with its name, `<name>+<id>+<base64>`, of a type that says what it signs.
#[derive(Clone, PartialEq, Eq)]
pub struct Public<const TYPE: u8> {
    name: String,
    id: [u8; 4],
    pub(super) key: VerifyingKey,
}

/// The public key of a log.
pub type PublicKey = Public<ED25519>;

impl<const TYPE: u8> Public<TYPE> {
    fn new(name: &str, key: VerifyingKey) -> Self {
        let bytes = [name.as_bytes(), b"\n", &[TYPE], key.as_bytes()].concat();
        let [a, b, c, d, ..] = *Hash::of(&bytes).as_bytes();
        Self {
            name: name.to_owned(),
            id: [a, b, c, d],
            key,
        }
    }

    /// Reads a key; `None` if it has another form, another type, or an id that is not its own.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_end().splitn(3, '+');
        let name = parts.next().filter(|name| is_name(name))?;
        let id = parts.next()?;
        let bytes = STANDARD.decode(parts.next()?).ok()?;
        let (kind, key) = bytes.split_first()?;
        if *kind != TYPE {
            return None;
        }
        let key = Self::new(name, VerifyingKey::from_bytes(key.try_into().ok()?).ok()?);
        (key.id() == id).then_some(key)
    }

    /// Whether a key may have this name.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        is_name(name)
    }

    /// The key's name, which is the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: eight hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }

    /// A signature of this key as a line of a note.
    pub(super) fn line(&self, signature: &[u8]) -> String {
        let bytes = [&self.id[..], signature].concat();
        format!("{DASH}{} {}\n", self.name, STANDARD.encode(bytes))
    }

    /// The bytes of those signatures of a note that say that they are this key's.
    pub(super) fn own<'n>(&self, note: &'n Note) -> impl Iterator<Item = &'n [u8]> {
        let own = |one: &&NoteSignature| one.name == self.name && one.id == self.id;
        let all = note.signatures.iter().filter(own);
        all.map(|one| one.signature.as_slice())
    }
}

impl PublicKey {
    /// Whether one of the note's signatures is this key's, and right.
    #[must_use]
    pub fn has_signed(&self, note: &Note) -> bool {
        self.line_in(note).is_some()
    }

    /// The line of the note that is this key's signature, and right.
    pub(super) fn line_in(&self, note: &Note) -> Option<String> {
        let text = note.text.as_bytes();
        let bytes = self.own(note).find(|bytes| {
            Signature::from_slice(bytes)
                .is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
        })?;
        Some(self.line(bytes))
    }
}

impl<const TYPE: u8> fmt::Display for Public<TYPE> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[TYPE], &self.key.as_bytes()[..]].concat();
        write!(
            formatter,
            "{}+{}+{}",
            self.name,
            self.id(),
            STANDARD.encode(bytes)
        )
    }
}

impl<const TYPE: u8> fmt::Debug for Public<TYPE> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A key that signs. `Debug` shows its public half only.
pub struct Private<const TYPE: u8> {
    public: Public<TYPE>,
    pub(super) key: SigningKey,
}

/// The private key of a log.
pub type PrivateKey = Private<ED25519>;

impl<const TYPE: u8> Private<TYPE> {
    /// The key with this seed; `None` if the name can't be a key's.
    #[must_use]
    pub fn new(name: &str, seed: &[u8; 32]) -> Option<Self> {
        let key = SigningKey::from_bytes(seed);
        is_name(name).then(|| Self {
            public: Public::new(name, key.verifying_key()),
            key,
        })
    }

    /// Reads [`PrivateKey::to_text`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_end().strip_prefix(PRIVATE)?.splitn(3, '+');
        let (name, id) = (parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(parts.next()?).ok()?;
        let (kind, seed) = bytes.split_first()?;
        if *kind != TYPE {
            return None;
        }
        let key = Self::new(name, seed.try_into().ok()?)?;
        (key.public.id() == id).then_some(key)
    }

    /// The secret as text, in the form that Go's `sumdb/note` gives such keys.
    #[must_use]
    pub fn to_text(&self) -> String {
        let bytes = [&[TYPE], &self.key.as_bytes()[..]].concat();
        let public = &self.public;
        let secret = STANDARD.encode(bytes);
        format!("{PRIVATE}{}+{}+{secret}", public.name, public.id())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &Public<TYPE> {
        &self.public
    }
}

impl PrivateKey {
    /// A note of `text`, which ends with a newline, with this key's signature.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        format!("{text}\n{}", self.public.line(&signature))
    }
}

impl<const TYPE: u8> fmt::Debug for Private<TYPE> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({})", self.public)
    }
}

/// A note that was read. Nothing is known of its signatures yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed, with its last newline.
    pub text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl Note {
    /// Reads a note; `None` if it has another form.
    #[must_use]
    pub fn parse(note: &str) -> Option<Self> {
        if note.len() > MAX_NOTE_BYTES || note.chars().any(|one| one < ' ' && one != '\n') {
            return None;
        }
        let (text, lines) = note.rsplit_once("\n\n")?;
        let lines = lines.strip_suffix('\n')?;
        let signatures: Option<Vec<_>> = lines.split('\n').map(NoteSignature::parse).collect();
        let signatures = signatures.filter(|all| all.len() <= MAX_SIGNATURES)?;
        Some(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// The ids of the keys that are said to have signed.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        let ids = self.signatures.iter();
        ids.map(|one| format!("{:08x}", u32::from_be_bytes(one.id)))
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|one: char| one.is_whitespace() || one == '+' || one.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::new("example.com/log", &[seed; 32]).unwrap()
    }

    #[test]
    fn keys_are_read_back() {
        let private = key(1);
        let again = PrivateKey::parse(&private.to_text()).unwrap();
        assert_eq!(again.public(), private.public());
        let text = private.public().to_string();
        assert_eq!(PublicKey::parse(&text).as_ref(), Some(private.public()));
        let other_id = text.replace(&private.public().id(), "00000000");
        let other_name = text.replace("example.com", "example.org");
        for wrong in [
            "",
            "a+b",
            &other_id,
            &other_name,
            text.trim_end_matches(|one| one != '+'),
        ] {
            assert!(PublicKey::parse(wrong).is_none(), "{wrong}");
        }
        assert!(PrivateKey::new("a name", &[1; 32]).is_none());
        assert!(!format!("{private:?}").contains(&private.to_text()));
    }

    #[test]
    fn the_key_of_the_specification_is_read() {
        // The key of Go's checksum database, as c2sp.org/signed-note quotes it.
        let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        let key = PublicKey::parse(text).unwrap();
        assert_eq!(
            (key.name(), key.to_string().as_str()),
            ("sum.golang.org", text)
        );
    }

    #[test]
    fn a_signature_holds_for_its_text_and_key_only() {
        let note = key(1).sign("origin\n1\nroot\n");
        let read = Note::parse(&note).unwrap();
        assert_eq!(read.text, "origin\n1\nroot\n");
        assert!(key(1).public().has_signed(&read));
        assert!(!key(2).public().has_signed(&read));
        let changed = Note::parse(&note.replace("\n1\n", "\n2\n")).unwrap();
        assert!(!key(1).public().has_signed(&changed));
        for wrong in [
            "",
            "text\n",
            "text\n\n",
            "text\n\n\u{2014} a\n",
            note.trim_end(),
        ] {
            assert!(Note::parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
