//! Checkpoints (c2sp.org/tlog-checkpoint): a log's size and root, signed.

use super::hash::Hash;
use super::note::{Note, PrivateKey};

/// A log's size and root at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's unique name.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a note's text; `None` if it is no checkpoint. Lines after the third are extensions,
    /// and not looked at.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?;
        let size = lines.next()?;
        let root = Hash::from_base64(lines.next()?)?;
        let decimal = size.bytes().all(|byte| byte.is_ascii_digit());
        if !decimal || (size.starts_with('0') && size != "0") || lines.any(str::is_empty) {
            return None;
        }
        Some(Self {
            origin: origin.to_owned(),
            size: size.parse().ok()?,
            root,
        })
    }

    /// Reads a note and the checkpoint in it. Nothing is known of its signatures yet.
    #[must_use]
    pub fn of(note: &str) -> Option<(Self, Note)> {
        let note = Note::parse(note)?;
        Some((Self::parse(&note.text)?, note))
    }

    /// The note of this checkpoint, signed.
    #[must_use]
    pub fn sign(&self, key: &PrivateKey) -> String {
        key.sign(&self.to_string())
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let root = self.root.to_base64();
        write!(formatter, "{}\n{}\n{root}\n", self.origin, self.size)
    }
}

/// The notes of a file to which one after another was appended. A last one that was not written
/// to its end is left out.
pub fn notes(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        // A note ends where a line that is a signature is followed by one that is none.
        let mut end = 0;
        let mut signed = false;
        for line in rest.split_inclusive('\n') {
            let signature = line.starts_with('\u{2014}') && line.ends_with('\n');
            if signed && !signature {
                break;
            }
            signed = signature;
            end += line.len();
        }
        let (note, after) = rest.split_at_checked(end).filter(|_| signed)?;
        rest = after;
        Some(note)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_read_back() {
        let checkpoint = Checkpoint {
            origin: "example.com/log".to_owned(),
            size: 7,
            root: Hash::leaf(b"x"),
        };
        let key = PrivateKey::new("example.com/log", &[1; 32]).unwrap();
        let note = checkpoint.sign(&key);
        let (read, signed) = Checkpoint::of(&note).unwrap();
        assert_eq!(read, checkpoint);
        assert!(key.public().has_signed(&signed));
        let text = checkpoint.to_string();
        assert_eq!(
            Checkpoint::parse(&format!("{text}an extension\n")),
            Some(checkpoint)
        );
        for wrong in [
            text.replace("\n7\n", "\n07\n"),
            text.replace("\n7\n", "\n+7\n"),
            text.replace("\n7\n", "\n99999999999999999999\n"),
            text.replace("example.com/log", ""),
            format!("{text}\n"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(Checkpoint::parse(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn notes_behind_each_other_are_told_apart() {
        let key = PrivateKey::new("log", &[1; 32]).unwrap();
        let (one, two) = (key.sign("log\n1\nx\n"), key.sign("log\n2\ny\n"));
        let both = format!("{one}{two}");
        assert_eq!(notes(&both).collect::<Vec<_>>(), [&one, &two]);
        for cut in one.len()..both.len() {
            if let Some(part) = both.get(..cut) {
                assert_eq!(notes(part).collect::<Vec<_>>(), [&one], "{cut}");
            }
        }
        assert_eq!(notes("").count(), 0);
    }
}
