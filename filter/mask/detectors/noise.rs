//! Base64 that stands for no text.
//!
//! Whatever can be said in letters and digits comes up in a picture sooner or later: in a megabyte of
//! base64, a border such as `+` stands in front of something like an account's number once in seven
//! times. So where so many bytes in a row could be nothing else, no built-in detector's match begins.
//! What a policy itself names, its patterns and words, is found everywhere.
//!
//! A match that ends the run is one all the same: a key in a long URL does. In a data URL, such as a
//! picture in Markdown or HTML has, there is none from the first byte of its base64 to the last.
//! Hexadecimal digits need no such care: nothing begins or ends within a word.

use super::super::window::{Hit, Miss, RUN_BYTES, Window, is_base64 as fits};

/// The shortest line of base64 that goes on in the next: they have 64 characters (RFC 7468) or 76 (RFC
/// 2045). Shorter lines could be a list.
const MIN_LINE_BYTES: usize = 60;
/// A line's end.
const MAX_BREAK_BYTES: usize = 2;
/// How much of the next line shows that it is base64, too.
const MIN_NEXT_BYTES: usize = 24;
/// What has to be known behind a match.
pub(crate) const MAX_BEHIND_BYTES: usize = MAX_BREAK_BYTES + MIN_NEXT_BYTES;
/// How many characters of each kind there are at least. Of 96 random ones of base64, less than one in
/// a million has fewer capitals, small letters, or digits; words and paths have fewer of one of them.
const MIN_CAPITALS: usize = 14;
const MIN_SMALL: usize = 14;
const MIN_DIGITS: usize = 3;

/// Whether a match stands in the midst of base64.
///
/// # Errors
/// [`Miss::More`] where it depends on a byte that is not known yet.
pub(super) fn surrounds(window: &Window<'_>, hit: &Hit) -> Result<bool, Miss> {
    if is_in_data_url(window, hit) {
        return Ok(true);
    }
    if !window
        .behind
        .byte()
        .is_some_and(|byte| fits(byte) || is_break(byte))
        || !is_noise(window)
    {
        return Ok(false);
    }
    // One of open length runs on with what it stands in.
    if hit.tail.is_some() {
        return Ok(true);
    }
    let mut end = hit.len;
    while end < hit.len + MAX_BREAK_BYTES && window.at(end)?.is_some_and(is_break) {
        end += 1;
    }
    // Behind a line's end, a word of a text could come.
    let least = if end == hit.len { 1 } else { MIN_NEXT_BYTES };
    Ok(window.run(end, least, fits)? == least)
}

/// Whether a match is nothing but base64 of a data URL. Prose that stands where that should be has other
/// characters.
fn is_in_data_url(window: &Window<'_>, hit: &Hit) -> bool {
    let bytes = window.bytes.get(..hit.len).unwrap_or(window.bytes);
    let coded = bytes.iter().all(|byte| fits(*byte) || *byte == b'=');
    coded && window.behind.in_data_url()
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Whether what stands in front of the window is no text.
fn is_noise(window: &Window<'_>) -> bool {
    let mut seen = 0_usize;
    let (mut capitals, mut small, mut digits) = (0_usize, 0_usize, 0_usize);
    let (mut line, mut broken) = (0_usize, false);
    for byte in window.behind.far_backwards() {
        seen += 1;
        match byte {
            b'A'..=b'Z' => capitals += 1,
            b'a'..=b'z' => small += 1,
            b'0'..=b'9' => digits += 1,
            _ if fits(byte) => {}
            // Of a line of which both ends are seen, all is.
            _ if is_break(byte) && (!broken || line >= MIN_LINE_BYTES || line == 0) => {
                broken = true;
                line = 0;
                continue;
            }
            _ => return false,
        }
        line += 1;
    }
    seen == RUN_BYTES && capitals >= MIN_CAPITALS && small >= MIN_SMALL && digits >= MIN_DIGITS
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use sha2::{Digest, Sha256};

    use crate::Matcher;
    use crate::detectors::tests::{built_ins, mask as mask_in, mask_str, pattern};
    use crate::policy::Style;

    fn mask() -> Matcher {
        Matcher::new(&built_ins(Style::Label)).unwrap()
    }

    /// Bytes without any order, the same each time.
    fn bytes(length: usize, seed: u32) -> Vec<u8> {
        let blocks = (0_u32..).flat_map(|block| {
            let digest = Sha256::digest([seed.to_le_bytes(), block.to_le_bytes()].concat());
            digest.to_vec()
        });
        blocks.take(length).collect()
    }

    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
    const IBAN: &str = "GB82WEST12345698765432";

    #[test]
    fn nothing_begins_in_the_midst_of_base64() {
        let mask = mask();
        for seed in 0..20 {
            for coded in [
                STANDARD.encode(bytes(144, seed)),
                URL_SAFE_NO_PAD.encode(bytes(144, seed)),
            ] {
                for within in [
                    format!("/{KEY}/"),
                    format!("+{IBAN}+"),
                    "/4111111111111111/".to_owned(),
                ] {
                    let text = format!("see {coded}{within}{coded} there");
                    assert_eq!(mask_str(&mask, &text), text);
                }
                let wrapped: Vec<&str> = coded
                    .as_bytes()
                    .chunks(64)
                    .map(|line| std::str::from_utf8(line).unwrap())
                    .collect();
                for end in ["\n", "\r\n"] {
                    let text = [
                        wrapped.as_slice(),
                        &[&format!("{}/{KEY}/x", coded.get(..20).unwrap())],
                    ]
                    .concat()
                    .join(end);
                    assert_eq!(mask_str(&mask, &text), text);
                }
            }
        }
    }

    #[test]
    fn what_ends_a_run_or_stands_in_a_list_is_found() {
        let mask = mask();
        let coded = STANDARD.encode(bytes(120, 3));
        let at_end = |text: &str| format!("https://example.com/{coded}/{text} ends");
        assert_eq!(mask_str(&mask, &at_end(KEY)), at_end("[AWS_ACCESS_KEY]"));
        let list =
            |text: &str| format!("Alice7Baker\n{text}\nBob8Cook\n{text}\nCarol9Dyer\n").repeat(4);
        assert_eq!(mask_str(&mask, &list(KEY)), list("[AWS_ACCESS_KEY]"));
        let path = |text: &str| {
            format!(
                "/usr/local/share/documents/accounts/archive/of/the/whole/company/and/all/its/people/in/one/place/{text}/x"
            )
        };
        assert_eq!(mask_str(&mask, &path(KEY)), path("[AWS_ACCESS_KEY]"));
        let front = |text: &str| format!("{}/{text}/{coded}", coded.get(..40).unwrap());
        assert_eq!(mask_str(&mask, &front(KEY)), front("[AWS_ACCESS_KEY]"));
    }

    #[test]
    fn nothing_is_found_in_a_data_url() {
        let mask = mask();
        let coded = STANDARD.encode(bytes(96, 9));
        let urls = [
            format!("data:image/png;base64,{KEY}"),
            format!("data:image/png;base64,{KEY}="),
            format!("data:image/jpeg;base64,/9j/{IBAN}/4AAQ+4111111111111111+aGk="),
            format!("DATA:image\\/gif;charset=x;BASE64,R0lG+{KEY}/x"),
            format!("data:;base64,iVBO/{KEY}/{}/{KEY}/x", "A".repeat(200)),
            format!("data:application/vnd.ms-excel;base64,{coded}/{KEY}"),
        ];
        for url in urls {
            for (front, behind) in [
                ("![a picture](", ") of ana@example.com"),
                ("<img alt='it' src='", "'> of ana@example.com"),
                ("{\"key\": \"", "\", \"to\": \"ana@example.com\"}"),
                ("password: ", " ana@example.com"),
            ] {
                let text = format!("ana@example.com {front}{url}{behind}");
                let masked = text.replace("ana@example.com", "[EMAIL]");
                assert_eq!(mask_str(&mask, &text), masked);
                for size in [1, 2, 7, 50] {
                    let pieces = mask_in(&mask, text.as_bytes().chunks(size));
                    assert_eq!(pieces, masked.as_bytes(), "{text} by {size}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_data_url_is_text() {
        let mask = mask();
        for front in [
            "data:image/png,",
            "data: image/png;base64,",
            "image/png;base64,",
            ";base64,",
            "base64,",
            "data:image/png;base64, ",
            "data:image/png;base64,aGk=) ",
            "data:image/png;base64,aGk=",
        ] {
            let masked = format!("{front}[AWS_ACCESS_KEY] ends");
            assert_eq!(mask_str(&mask, &format!("{front}{KEY} ends")), masked);
        }
        let url = |text: &str| format!("see data:image/png;base64,{text}) there");
        for (text, masked) in [
            ("ana@example.com", "[EMAIL]"),
            ("4111 1111 1111 1111", "[CREDIT_CARD]"),
        ] {
            assert_eq!(mask_str(&mask, &url(text)), url(masked));
        }
    }

    #[test]
    fn what_a_policy_names_is_found_in_base64_too() {
        let own = Matcher::new(&[pattern("t", "TCK[0-9]{6}")]).unwrap();
        let coded = STANDARD.encode(bytes(120, 5));
        let text = |text: &str| format!("{coded}/{text}/{coded}");
        assert_eq!(mask_str(&own, &text("TCK123456")), text("[T]"));
    }
}
