//! `/upstream` of the policy: what the model server is told instead of the caller's token.

use super::header::header_name;
use super::reader::Node;

/// A header with a value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The header, in lower case.
    pub header: String,
    /// Its value, with what came from the environment filled in.
    pub value: String,
}

impl core::fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Credential")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// `/upstream`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// The service credential.
    pub credential: Option<Credential>,
    /// The header that names the verified subject to the model server.
    pub subject_header: Option<String>,
    /// The header that lists the verified groups to the model server, separated by commas.
    pub groups_header: Option<String>,
}

pub(super) fn read(node: &Node<'_>) -> Option<Upstream> {
    let object = node.object()?;
    let credential = object.optional("credential").and_then(|node| {
        let credential = node.object()?;
        let header = credential
            .required("header")
            .and_then(|node| header_name(&node));
        let value = credential.required("value").and_then(|node| node.secret());
        credential.close();
        Some(Credential {
            header: header?,
            value: value?,
        })
    });
    let mut subject_header = None;
    let mut groups_header = None;
    if let Some(headers) = object
        .optional("identity_headers")
        .and_then(|node| node.object())
    {
        subject_header = headers
            .optional("subject")
            .and_then(|node| header_name(&node));
        groups_header = headers
            .optional("groups")
            .and_then(|node| header_name(&node));
        headers.close();
    }
    object.close();
    Some(Upstream {
        credential,
        subject_header,
        groups_header,
    })
}
