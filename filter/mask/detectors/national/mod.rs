//! Numbers that states give to people.
//!
//! Each file has one number: the layouts in which it is written, and whether its digits are
//! such a number. In a layout `#` is a digit, `@` a letter, `*` either; a space is one space, a
//! dash one dash, `~` either of the two, the same throughout; everything else is itself.
//!
//! A layout that is seldom anything else is enough; the others need one of the number's words
//! in front, among the last eight. So do letters in lower case.
//!
//! Whole: no letter or digit next to it, and not a part of a longer chain of digits that are
//! joined by what joins its own.
//!
//! To add a number, add its file, and its name to the list below.
//!
//! Bound: the layout with the longest forms of its separators, and two bytes to see the end.

mod checks;
mod number;
mod us_ssn;

use super::detect::Detect;
use number::{National, Number};

/// Each number by its file. Where two could match at the same place, the first wins.
macro_rules! numbers {
    ($($number:ident),+ $(,)?) => {
        $(mod $number;)+

        const NUMBERS: &[Number] = &[$($number::NUMBER),+];

        #[cfg(test)]
        pub(super) const EXAMPLES: &[super::tests::Table] = &[
            us_ssn::EXAMPLES,
            $($number::EXAMPLES),+
        ];
    };
}

numbers![
    ar_cuit,
    au_medicare,
    au_tfn,
    be_national,
    br_cnpj,
    br_cpf,
    ru_snils,
    ca_sin,
    ch_ahv,
    cl_rut,
    cn_resident,
    cz_birth,
    de_tax,
    dk_cpr,
    es_dni,
    fi_hetu,
    fr_nir,
    hk_id,
    ie_pps,
    in_aadhaar,
    in_pan,
    it_codice_fiscale,
    jp_my_number,
    kr_rrn,
    mx_curp,
    my_nric,
    nl_bsn,
    no_fodselsnummer,
    pl_pesel,
    se_personnummer,
    sg_nric,
    th_id,
    tr_tckn,
    uk_nhs,
    uk_nino,
    us_itin,
    za_id,
];

/// The detectors of all numbers but `us_ssn`, the first one first.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NUMBERS.iter().map(|number| number.name)
}

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    if name == "us_ssn" {
        return Some((Box::new(us_ssn::UsSsn), "US_SSN"));
    }
    let number = NUMBERS.iter().find(|number| number.name == name)?;
    Some((Box::new(National(number)), number.label))
}
