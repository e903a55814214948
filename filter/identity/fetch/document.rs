//! A provider's document, as an answer brings it.

use std::borrow::Cow;

use coding::{Coding, Error};

/// A longer document is no key set; Envoy itself takes up to 32 MiB.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// The answer to a [`super::KeyRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAnswer<'a> {
    /// Its status.
    pub status: u16,
    /// The values of its `content-encoding`, joined by commas; empty where it has none.
    pub coding: &'a [u8],
    /// Its body, as it came.
    pub body: &'a [u8],
}

impl<'a> KeyAnswer<'a> {
    /// The document, decoded. Nobody is asked to encode it, and some do: RFC 9110, section 12.5.3,
    /// leaves it to the server.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn document(&self) -> Result<Cow<'a, [u8]>, String> {
        if self.status != 200 {
            return Err(format!("found status {}, expected 200", self.status));
        }
        let coding = match Coding::applied([self.coding].into_iter()) {
            Ok(Some(coding)) => coding,
            Ok(None) => return Ok(Cow::Borrowed(self.body)),
            // Object stores say "aws-chunked" of what was uploaded in chunks, and others "utf-8".
            Err(_) if self.body.trim_ascii_start().starts_with(b"{") => {
                return Ok(Cow::Borrowed(self.body));
            }
            Err(_) => {
                let found = String::from_utf8_lossy(self.coding);
                let found: String = found.chars().take(64).collect();
                return Err(format!(
                    "found the content-encoding {found:?}, expected gzip, deflate, br or zstd"
                ));
            }
        };
        match coding::whole(coding, self.body, MAX_DOCUMENT_BYTES) {
            Ok(document) => Ok(Cow::Owned(document)),
            Err(Error::TooLarge) => {
                Err("found a document that decodes to more than 1 MiB".to_owned())
            }
            Err(error) => Err(format!(
                "found a body that is no {coding:?} ({error:?}), expected what its content-encoding says"
            )),
        }
    }
}
