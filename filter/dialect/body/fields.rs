//! The facts of a form, whichever way it is encoded.

use base::forms::FormError;
use base::multipart;
use base::urlencoded;

use super::facts::{FactsError, Found, malformed, other_case};
use super::nested::{self, percent_decoded};
use super::place::{Named, Places, ROOT, Roles};
use super::texts::Texts;

/// Reads a multipart form.
pub(super) fn multipart(
    body: &[u8],
    boundary: &str,
    places: &Places,
    texts: &mut Texts<'_>,
) -> Result<Found, FactsError> {
    let mut fields = Fields::new(places, texts);
    let mut parts = multipart::parts(body, boundary);
    let wrong = |error: FormError| {
        FactsError::Malformed(format!("The body is not a form that is read: {error}"))
    };
    while let Some(part) = parts.read_next().map_err(wrong)? {
        fields.name(part.name)?;
        fields.texts.text(part.name);
        if part.file_name.is_some() {
            fields.texts.text(part.file_name.unwrap_or_default());
        }
        // Some servers decode such a field, and some take it as it is.
        let typed = part.media.is_some_and(|media| {
            let media = media.split(';').next().unwrap_or_default().trim();
            !media.eq_ignore_ascii_case("text/plain")
        });
        if typed && fields.counts(part.name) {
            return Err(malformed("A field has a content-type of its own."));
        }
        fields.take(part.name, part.value, part.file_name.is_some())?;
    }
    Ok(fields.found)
}

/// Reads a form as HTML's are sent.
pub(super) fn urlencoded(
    body: &[u8],
    places: &Places,
    texts: &mut Texts<'_>,
) -> Result<Found, FactsError> {
    let mut fields = Fields::new(places, texts);
    let wrong = |error: FormError| {
        FactsError::Malformed(format!("The body is not a form that is read: {error}"))
    };
    let mut pairs = urlencoded::pairs(body);
    while let Some(pair) = pairs.read_next().map_err(wrong)? {
        fields.name(&pair.name)?;
        fields.take(&pair.name, pair.value.as_bytes(), false)?;
    }
    Ok(fields.found)
}

/// Refuses a JSON body that is a form to a reader who believes its content-type, if that form would
/// have a member that counts.
pub(super) fn no_form(body: &[u8], places: &Places) -> Result<(), FactsError> {
    for pair in body.split(|byte| matches!(byte, b'&' | b';')) {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = percent_decoded(name);
        let name = String::from_utf8_lossy(&name);
        if !matches!(
            places.member(ROOT, name.trim()),
            Named::Other | Named::Any(_)
        ) {
            return Err(malformed(
                "The body is JSON to some servers, and a form to others.",
            ));
        }
    }
    Ok(())
}

struct Fields<'f, 't> {
    places: &'f Places,
    texts: &'f mut Texts<'t>,
    found: Found,
    /// Names that were there, of those that are known.
    seen: Vec<usize>,
    /// How often each list's name was there.
    lists: Vec<(usize, u64)>,
}

impl<'f, 't> Fields<'f, 't> {
    fn new(places: &'f Places, texts: &'f mut Texts<'t>) -> Self {
        Self {
            places,
            texts,
            found: Found::default(),
            seen: Vec::new(),
            lists: Vec::new(),
        }
    }

    fn place(&self, name: &str) -> Named {
        match self.places.member(ROOT, name) {
            Named::Other => {}
            other => return other,
        }
        // PHP, Rails and others take `name[]` and `name[0]` for elements of the list `name`.
        match name.split_once('[') {
            Some((list, _)) => self.places.member(ROOT, list),
            None => Named::Other,
        }
    }

    /// Whether a field's value says more than a text.
    fn counts(&self, name: &str) -> bool {
        let Named::Known(at) = self.place(name) else {
            return false;
        };
        let roles = self.places.roles(Some(at));
        roles.has(Roles::MODEL) || roles.has(Roles::TIMES)
    }

    /// Refuses names of which servers make different things.
    fn name(&mut self, name: &str) -> Result<(), FactsError> {
        let at = match self.place(name) {
            Named::Known(at) | Named::Any(at) => at,
            Named::OtherCase => return Err(other_case(name)),
            Named::Other => return Ok(()),
        };
        let roles = self.places.roles(Some(at));
        let once = roles.has(Roles::MODEL) || roles.has(Roles::TIMES);
        if once && (self.seen.contains(&at) || name.contains('[')) {
            return Err(malformed("A field that may be there once is there twice."));
        }
        self.seen.push(at);
        Ok(())
    }

    fn take(&mut self, name: &str, value: &[u8], file: bool) -> Result<(), FactsError> {
        let at = match self.place(name) {
            Named::Known(at) | Named::Any(at) => Some(at),
            Named::Other | Named::OtherCase => None,
        };
        let roles = self.places.roles(at);
        if let Some(at) = at
            && (roles.has(Roles::LIST) || roles.has(Roles::TEXT_LIST))
        {
            self.count(at);
        }
        let text = core::str::from_utf8(value);
        if roles.has(Roles::MODEL) || roles.has(Roles::TIMES) {
            if file {
                return Err(malformed(
                    "A field is a file, and not what its route takes.",
                ));
            }
            let text = text.map_err(|_| malformed("A field is not in UTF-8."))?;
            if roles.has(Roles::MODEL) {
                self.found.model(text);
            }
            if roles.has(Roles::TIMES) {
                let number = text.trim().parse();
                let number = number.map_err(|_| malformed("A count in the form is no number."))?;
                self.found.times(number);
            }
        }
        if roles.has(Roles::OTHER)
            && let Ok(text) = text
        {
            self.found.other(text);
        }
        if roles.is_elsewhere() && !value.is_empty() {
            self.texts.unread();
        }
        if nested::is_document(value) && !roles.has(Roles::MEDIA) {
            self.texts.unread();
        }
        if roles.has(Roles::TEXT) && text.is_ok() && value.contains(&0) {
            self.texts.unread();
        }
        match text {
            Ok(text) if roles.has(Roles::TEXT) => {
                self.texts.running(self.places.rank(at), text);
            }
            _ if roles.has(Roles::FILE) => self.texts.upload(value),
            _ if roles.has(Roles::MEDIA) => self.texts.recording(value),
            Ok(text) if !file => {
                if value.contains(&0) {
                    // In UTF-16 every other byte of English is one.
                    self.texts.unread();
                }
                self.texts.text(text);
            }
            _ => self.texts.document(value),
        }
        Ok(())
    }

    fn count(&mut self, at: usize) {
        let found = self.lists.iter_mut().find(|(known, _)| *known == at);
        let count = match found {
            Some((_, count)) => {
                *count = count.saturating_add(1);
                *count
            }
            None => {
                self.lists.push((at, 1));
                1
            }
        };
        self.found.list(count);
    }
}
