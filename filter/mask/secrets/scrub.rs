//! Bytes of any format, in pieces of any size, with asterisks over secrets.
//!
//! As many asterisks are written as there were bytes, so lengths stay right: those in a head, in
//! gRPC's frames, and of protobuf's fields. Only what may be the front of a secret waits for the
//! next piece, which normal bytes hardly ever do.

use super::Secrets;

/// How much of a secret may be seen in what can't wait. Whoever makes keys begins them with a mark
/// of his own about as long, such as `sk-`.
const SHOWN_BYTES: usize = 3;

/// One body on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrub {
    /// Bytes that are still looked at: what may become a secret, and one that hangs over into that.
    kept: Vec<u8>,
    /// How many of these have been written.
    written: usize,
    /// In how many of them secrets that begin there have been counted.
    counted: usize,
    /// How many bytes at a secret's front stay as they are.
    shown: usize,
    found: u64,
}

impl Scrub {
    /// For what two programs say to each other, each of which may wait for the other: three bytes of
    /// a secret stay as they are, so that bytes at the end of a message do not wait for the next
    /// one whenever they could be the first of a secret.
    #[must_use]
    pub fn of_messages() -> Self {
        Self {
            shown: SHOWN_BYTES,
            ..Self::default()
        }
    }

    /// Whether nothing waits, and of the next piece, the last one if `end`, nothing changes or has to
    /// wait: then it may go as it is.
    #[must_use]
    pub fn lets_pass(&self, secrets: &Secrets, piece: &[u8], end: bool) -> bool {
        let open = || end || secrets.open_from(piece) == piece.len();
        self.kept.is_empty() && open() && secrets.places(piece, end).is_empty()
    }

    /// Takes the next piece, the last one if `end`, and appends what may be sent to `out`.
    pub fn push(&mut self, secrets: &Secrets, piece: &[u8], end: bool, out: &mut Vec<u8>) {
        let mut joined = std::mem::take(&mut self.kept);
        let bytes = if joined.is_empty() {
            piece
        } else {
            joined.extend_from_slice(piece);
            &joined
        };
        let open = if end {
            bytes.len()
        } else {
            secrets.open_from(bytes)
        };
        let until = bytes.len().min(open + self.shown);
        let first = out.len();
        let new = bytes.get(self.written..until).unwrap_or_default();
        out.extend_from_slice(new);
        let mut keep = open;
        let mut covered = 0;
        for (from, to) in secrets.places(bytes, end) {
            // Whatever begins behind that is found again.
            if from >= open {
                break;
            }
            if from >= covered && from >= self.counted {
                self.found = self.found.saturating_add(1);
            }
            covered = covered.max(to);
            if to > open {
                keep = keep.min(from);
            }
            let place = |at: usize| first + at.clamp(self.written, until) - self.written;
            let hidden = place(from + self.shown)..place(to);
            out.get_mut(hidden).unwrap_or_default().fill(b'*');
        }
        self.kept = bytes.get(keep..).unwrap_or_default().to_vec();
        self.written = until - keep;
        self.counted = open - keep;
    }

    /// The bytes that have come and are still to be written.
    #[must_use]
    pub fn held(&self) -> usize {
        self.kept.len() - self.written
    }

    /// How many secrets there were. One that overlaps another is none of its own.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found
    }
}
