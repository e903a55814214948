//! The names of months, in the languages in which they are alike.

/// Whether a month's name begins so, in upper or lower case, in English, German, French, Spanish,
/// Italian, Portuguese or Dutch.
pub(crate) fn begins_month(three: [u8; 3]) -> bool {
    matches!(
        &three.map(|byte| byte.to_ascii_lowercase()),
        b"jan"
            | b"feb"
            | b"f\xc3\xa9"
            | b"mar"
            | b"m\xc3\xa4"
            | b"mrt"
            | b"maa"
            | b"apr"
            | b"avr"
            | b"abr"
            | b"may"
            | b"mai"
            | b"mei"
            | b"mag"
            | b"jun"
            | b"jui"
            | b"giu"
            | b"jul"
            | b"lug"
            | b"aug"
            | b"ao\xc3"
            | b"ago"
            | b"sep"
            | b"set"
            | b"okt"
            | b"oct"
            | b"out"
            | b"ott"
            | b"nov"
            | b"dec"
            | b"dez"
            | b"d\xc3\xa9"
            | b"dic"
            | b"ene"
            | b"gen"
    )
}
