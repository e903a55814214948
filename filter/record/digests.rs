//! SHA-256 over what passes.

use base::bytes::hex;
use sha2::{Digest as _, Sha256};

/// The digests of a request's and its response's body, as far as they have passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Digests {
    wanted: bool,
    request: Option<Sha256>,
    response: Option<Sha256>,
}

impl Digests {
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    pub(super) fn note_request(&mut self, bytes: &[u8], instead: bool) {
        if instead {
            self.request = None;
        }
        if self.wanted {
            self.request.get_or_insert_default().update(bytes);
        }
    }

    pub(super) fn begin_response(&mut self) {
        self.response = self.wanted.then(Sha256::new);
    }

    /// Where nobody looks at the body, nothing is begun, and nothing is noted.
    pub(super) fn note_response(&mut self, bytes: &[u8]) {
        if let Some(response) = &mut self.response {
            response.update(bytes);
        }
    }

    pub(super) fn drop_request(&mut self) {
        self.request = None;
    }

    pub(super) fn drop_response(&mut self) {
        self.response = None;
    }

    pub(super) fn request(&mut self) -> Option<String> {
        finish(&mut self.request)
    }

    pub(super) fn response(&mut self) -> Option<String> {
        finish(&mut self.response)
    }
}

fn finish(hash: &mut Option<Sha256>) -> Option<String> {
    hash.take().map(|hash| hex(&hash.finalize()))
}
