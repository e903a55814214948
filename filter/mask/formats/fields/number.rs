//! Numbers with fewer digits.

/// A JSON number with at most `digits` digits behind the point, rounded to the nearest, as short as
/// it can be written.
///
/// Numbers of 1e15 and more have no fraction to lose; what is not a number stays as it is.
pub(super) fn round(number: &[u8], digits: u8) -> Vec<u8> {
    const LARGEST: f64 = 1e15;
    let fractional = number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    let value = std::str::from_utf8(number)
        .ok()
        .and_then(|text| text.parse::<f64>().ok())
        .filter(|value| fractional && value.abs() < LARGEST);
    let Some(value) = value else {
        return number.to_vec();
    };
    let text = format!("{value:.*}", usize::from(digits));
    let short = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    let short = if short == "-0" { "0" } else { short };
    short.as_bytes().to_vec()
}
