//! Whether a request's bytes could be something else to a server than its head says.

use base::{json, multipart};
use mask::policy::Passing;
use mask::{Format, Media, OCTET_STREAM, Octets};

/// Whether every reader takes the body for what the walker does. UTF-16, for one, looks like text
/// in which nothing is found.
pub(super) fn is_certain(format: Format, body: &[u8]) -> bool {
    let lines = || body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    match format {
        Format::Json => json::read(body, &mut ()).is_ok(),
        Format::Lines => lines().all(|line| line.is_empty() || json::read(line, &mut ()).is_ok()),
        Format::Tensors(frame) => {
            let json = body.get(..frame.json_bytes);
            json.is_some_and(|json| json::read(json, &mut ()).is_ok())
        }
        // What a part is read as is its own media type's matter; many parts are no text.
        Format::Grpc(_) | Format::Multipart(_) => true,
        // Those that clients send hold a signature of each message.
        Format::AmazonEvents => false,
        Format::Text | Format::Events | Format::Html | Format::Xml | Format::Trailer(_) => {
            !body.contains(&0) && core::str::from_utf8(body).is_ok()
        }
    }
}

/// What is known of the files of a form whose type says nothing, if every reader takes all fields for
/// what their own types say: a field that is called a picture is text to a server that asks for a
/// text. `pass` is what may go on unread.
pub(super) fn certain_form(body: &[u8], boundary: &str, pass: &Passing) -> Option<Octets> {
    let mut octets = Octets::default();
    let mut parts = multipart::parts(body, boundary);
    while let Some(part) = parts.read_next().ok()? {
        let media = part.media.unwrap_or("text/plain");
        let media = media.split(';').next().unwrap_or_default();
        let media = media.trim().to_ascii_lowercase();
        let is_file = part.file_name.is_some();
        if media == OCTET_STREAM {
            let format = text_of_bytes(part.value);
            // What can't be read is for the mask to refuse, or to let pass.
            let may_pass = is_file || !could_be_text(part.value);
            if !octets.add(format) || (format.is_none() && !may_pass) {
                return None;
            }
            continue;
        }
        let certain = match Format::of_media(&media) {
            Media::NoText => part.value.is_empty() || !could_be_text(part.value),
            Media::Text(_) if is_file && pass.lets_text(&media) => true,
            Media::Text(Format::Text | Format::Events) if has_escapes_of_json(part.value) => false,
            Media::Text(format) => is_certain(format, part.value),
            // Unless it passes, the mask refuses it.
            Media::Unknown => is_file && text_of_bytes(part.value).is_none(),
        };
        if !certain {
            return None;
        }
    }
    Some(octets)
}

/// How bytes of which nobody says what they are can be masked, if every reader takes them for text.
fn text_of_bytes(bytes: &[u8]) -> Option<Format> {
    if !is_certain(Format::Text, bytes) {
        return None;
    }
    let is_json = is_certain(Format::Json, bytes) || is_certain(Format::Lines, bytes);
    if is_json && begins_as_json::<1>(bytes) {
        return Some(Format::Json);
    }
    (!has_escapes_of_json(bytes)).then_some(Format::Text)
}

/// Whether a server could read text in these bytes: UTF-8, also where a reader skips what is broken in
/// it, or JSON in whatever encoding readers of JSON find out by themselves. Sound and pictures are
/// neither.
pub(super) fn could_be_text(body: &[u8]) -> bool {
    core::str::from_utf8(body).is_ok()
        || is_mostly_text(body)
        || begins_as_json::<1>(body)
        || begins_as_json::<2>(body)
        || begins_as_json::<4>(body)
}

/// Whether no more than one byte in eight is none of a text. Of what is compressed, half are, and of
/// sound and pictures that aren't, many are zero.
fn is_mostly_text(body: &[u8]) -> bool {
    const ONE_IN: usize = 8;
    let mut odd = 0usize;
    for chunk in body.utf8_chunks() {
        odd = odd.saturating_add(chunk.invalid().len());
        let control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r".contains(byte);
        odd = odd.saturating_add(chunk.valid().bytes().filter(|byte| control(byte)).count());
    }
    odd <= body.len() / ONE_IN
}

/// Whether the bytes begin as an object, a list or a string of JSON does, in units of `N` bytes of
/// either order. The rest is not looked at: some readers take what is no JSON by the book, and
/// broken characters too.
fn begins_as_json<const N: usize>(body: &[u8]) -> bool {
    let value = |unit: u32, byte: &u8| (unit << 8) | u32::from(*byte);
    let begins = |read: &dyn Fn(&[u8; N]) -> u32| {
        let mut units = body.as_chunks::<N>().0.iter().map(read);
        let blank = |unit: &u32| matches!(unit, 0x20 | 0x09 | 0x0a | 0x0d | 0xfeff);
        let first = units.find(|unit| !blank(unit));
        first.is_some_and(|unit| {
            [b'{', b'[', b'"']
                .iter()
                .any(|mark| unit == u32::from(*mark))
        })
    };
    begins(&|unit| unit.iter().fold(0, value)) || begins(&|unit| unit.iter().rev().fold(0, value))
}

/// Whether masking as text would leave out what a reader of JSON finds in escapes.
pub(super) fn has_escapes_of_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.contains(&b'\\') && begins_as_json::<1>(body)
}
