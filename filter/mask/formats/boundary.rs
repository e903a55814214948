//! What stands between the parts of a multipart body (RFC 2046, section 5.1.1).

/// The longest boundary there may be.
const MAX_BOUNDARY_BYTES: usize = 70;

/// What stands between the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    bytes: [u8; MAX_BOUNDARY_BYTES],
    length: usize,
}

impl Boundary {
    /// The boundary that a content-type gives; `None` if it is not a valid one.
    #[must_use]
    pub fn new(boundary: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_BOUNDARY_BYTES];
        let fits = !boundary.is_empty() && boundary.last() != Some(&b' ');
        let allowed = |byte: &u8| matches!(byte, b' '..=b'~');
        if !fits || !boundary.iter().all(allowed) {
            return None;
        }
        bytes.get_mut(..boundary.len())?.copy_from_slice(boundary);
        Some(Self {
            bytes,
            length: boundary.len(),
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
