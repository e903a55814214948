//! Whether a number is one that an `f64` can hold.

/// The least number that is infinite as an `f64`: half a step above the greatest `f64`, which is
/// 2^1024 - 2^971.
const INFINITE: &str = "\
    17976931348623158079372897140530341507993413271003782693617377898044496829276\
    47509466490179775872070963302864166928879109465555478519404026306574886715058\
    20681908902000708383676273854845817711531764475730270069855571366959622842914\
    81986083493647529271907416844436551070434271155969950809304288017790417449779\
    2";

/// Whether a number is finite as an `f64`. The parts are written as JSON has them, those that are
/// not there are empty. They are compared as they stand: to convert numbers that lie close to
/// `INFINITE` takes so long that a body full of them would hold up a worker for a second.
#[cold]
pub(super) fn is_finite(whole: &str, fraction: &str, exponent: &str) -> bool {
    let digits = || whole.bytes().chain(fraction.bytes());
    let zeros = digits().take_while(|digit| *digit == b'0').count();
    if zeros == whole.len() + fraction.len() {
        return true;
    }
    let count = |digits: usize| i64::try_from(digits).unwrap_or(i64::MAX);
    // The mantissa is less than 10^size, and not less than a tenth of that.
    let size = count(whole.len()).saturating_sub(count(zeros));
    // An exponent that doesn't fit is far beyond, in the direction of its sign.
    let exponent = match (exponent.parse(), exponent.as_bytes().first()) {
        (Ok(exponent), _) => exponent,
        (Err(_), None) => 0,
        (Err(_), Some(b'-')) => i64::MIN,
        (Err(_), Some(_)) => i64::MAX,
    };
    let size = size.saturating_add(exponent);
    let limit = count(INFINITE.len());
    size < limit || size == limit && digits().skip(zeros).lt(INFINITE.bytes())
}

#[cfg(test)]
mod tests {
    use super::{INFINITE, is_finite};

    fn judged(number: &str) -> bool {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, ""));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        is_finite(whole, fraction, exponent)
    }

    #[test]
    fn a_number_is_finite_if_its_nearest_f64_is() {
        let zeros = "0".repeat(400);
        let zeros_308 = "0".repeat(308);
        let below = format!("{}1", INFINITE.trim_end_matches('2'));
        let fraction = INFINITE.replacen('1', "1.", 1);
        for (number, finite) in [
            ("0", true),
            ("0.0e999", true),
            ("0e99999999999999999999", true),
            ("1e308", true),
            ("1E+308", true),
            ("1.7976931348623157e308", true),
            ("1.7976931348623158e308", true),
            ("1.7976931348623159e308", false),
            ("17976931348623157e292", true),
            ("17976931348623159e292", false),
            ("0.00017976931348623157e312", true),
            ("0.00017976931348623159e312", false),
            ("1e309", false),
            ("1e310", false),
            ("0.1e309", true),
            ("0.01e310", true),
            ("0.01e311", false),
            ("1e-99999999999999999999", true),
            ("1e99999999999999999999", false),
            ("1e+0000000000000000000000308", true),
            (INFINITE, false),
            (&below, true),
            (&format!("{below}.999"), true),
            (&format!("{below}000"), false),
            (&format!("{INFINITE}.000"), false),
            (&format!("{INFINITE}.001"), false),
            (&format!("{INFINITE}e-1"), true),
            (&format!("{fraction}e307"), true),
            (&format!("{fraction}e308"), false),
            (&format!("{fraction}0e308"), false),
            (&format!("1{zeros}"), false),
            (&format!("1{zeros}.5"), false),
            (&format!("1{zeros}e-93"), true),
            (&format!("1{zeros}e-92"), true),
            (&format!("1{zeros}e-91"), false),
            (&format!("0.{zeros}1e709"), true),
            (&format!("0.{zeros}1e710"), false),
            (&format!("1{zeros_308}"), true),
            (&format!("2{zeros_308}"), false),
        ] {
            assert_eq!(judged(number), finite, "{number}");
            let nearest: f64 = number.parse().unwrap();
            assert_eq!(nearest.is_finite(), finite, "{number}");
        }
    }
}
