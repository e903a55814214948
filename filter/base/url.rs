//! Addresses that a policy or a provider's document gives: `scheme://authority/path?query`.

/// An absolute http or https URL (RFC 3986), taken apart. No user information, no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host, with its port where one is written.
    pub authority: String,
    /// The path with its query; begins with a slash.
    pub path: String,
}

impl Url {
    /// Takes a URL apart. `None` for anything else, also for characters that a URL can't hold:
    /// the parts are sent as headers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme {
            "http" => "http",
            "https" => "https",
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let sound = |text: &str| text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if authority.is_empty() || authority.contains('@') || !sound(rest) || rest.contains('#') {
            return None;
        }
        Some(Self {
            scheme,
            authority: authority.to_owned(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn a_url_is_taken_apart() {
        let url = Url::parse("https://idp.example.com:8443/realms/a?x=1").unwrap();
        assert_eq!(url.scheme, "https");
        assert_eq!(url.authority, "idp.example.com:8443");
        assert_eq!(url.path, "/realms/a?x=1");
        assert_eq!(Url::parse("http://idp").unwrap().path, "/");
        assert_eq!(Url::parse("http://idp?x").unwrap().path, "/?x");
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for text in [
            "",
            "idp.example.com",
            "ftp://idp",
            "https://",
            "https:///path",
            "https://user@idp/",
            "https://idp/#fragment",
            "https://idp/a b",
            "https://idp/\r\nx: y",
            "https://idp/\u{e9}",
        ] {
            assert_eq!(Url::parse(text), None, "{text:?}");
        }
    }
}
