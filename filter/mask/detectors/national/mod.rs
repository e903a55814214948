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
//! Bound: the layout with the longest forms of its separators, and two bytes to see the end.

mod ar_cuit;
mod au_medicare;
mod au_tfn;
mod be_national;
mod br_cnpj;
mod br_cpf;
mod ca_sin;
mod ch_ahv;
mod checks;
mod cl_rut;
mod cn_resident;
mod cz_birth;
mod de_tax;
mod dk_cpr;
mod es_dni;
mod fi_hetu;
mod fr_nir;
mod hk_id;
mod ie_pps;
mod in_aadhaar;
mod in_pan;
mod it_codice_fiscale;
mod jp_my_number;
mod kr_rrn;
mod mx_curp;
mod my_nric;
mod nl_bsn;
mod no_fodselsnummer;
mod number;
mod pl_pesel;
mod ru_snils;
mod se_personnummer;
mod sg_nric;
mod th_id;
mod tr_tckn;
mod uk_nhs;
mod uk_nino;
mod us_itin;
mod us_ssn;
mod za_id;

use super::detect::Detect;
use number::{National, Number};

const NUMBERS: &[Number] = &[
    ar_cuit::NUMBER,
    au_medicare::NUMBER,
    au_tfn::NUMBER,
    be_national::NUMBER,
    br_cnpj::NUMBER,
    br_cpf::NUMBER,
    ca_sin::NUMBER,
    ch_ahv::NUMBER,
    cl_rut::NUMBER,
    cn_resident::NUMBER,
    cz_birth::NUMBER,
    de_tax::NUMBER,
    dk_cpr::NUMBER,
    es_dni::NUMBER,
    fi_hetu::NUMBER,
    fr_nir::NUMBER,
    hk_id::NUMBER,
    ie_pps::NUMBER,
    in_aadhaar::NUMBER,
    in_pan::NUMBER,
    it_codice_fiscale::NUMBER,
    jp_my_number::NUMBER,
    kr_rrn::NUMBER,
    mx_curp::NUMBER,
    my_nric::NUMBER,
    nl_bsn::NUMBER,
    no_fodselsnummer::NUMBER,
    pl_pesel::NUMBER,
    ru_snils::NUMBER,
    se_personnummer::NUMBER,
    sg_nric::NUMBER,
    th_id::NUMBER,
    tr_tckn::NUMBER,
    uk_nhs::NUMBER,
    uk_nino::NUMBER,
    us_itin::NUMBER,
    za_id::NUMBER,
];

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    if name == "us_ssn" {
        return Some((Box::new(us_ssn::UsSsn), "US_SSN"));
    }
    let name = name.strip_prefix("national_id.")?;
    let number = NUMBERS.iter().find(|number| number.name == name)?;
    Some((Box::new(National(number)), number.label))
}

#[cfg(test)]
pub(super) const EXAMPLES: &[super::tests::Table] = &[
    ar_cuit::EXAMPLES,
    au_medicare::EXAMPLES,
    au_tfn::EXAMPLES,
    be_national::EXAMPLES,
    br_cnpj::EXAMPLES,
    br_cpf::EXAMPLES,
    ca_sin::EXAMPLES,
    ch_ahv::EXAMPLES,
    cl_rut::EXAMPLES,
    cn_resident::EXAMPLES,
    cz_birth::EXAMPLES,
    de_tax::EXAMPLES,
    dk_cpr::EXAMPLES,
    es_dni::EXAMPLES,
    fi_hetu::EXAMPLES,
    fr_nir::EXAMPLES,
    hk_id::EXAMPLES,
    ie_pps::EXAMPLES,
    in_aadhaar::EXAMPLES,
    in_pan::EXAMPLES,
    it_codice_fiscale::EXAMPLES,
    jp_my_number::EXAMPLES,
    kr_rrn::EXAMPLES,
    mx_curp::EXAMPLES,
    my_nric::EXAMPLES,
    nl_bsn::EXAMPLES,
    no_fodselsnummer::EXAMPLES,
    pl_pesel::EXAMPLES,
    ru_snils::EXAMPLES,
    se_personnummer::EXAMPLES,
    sg_nric::EXAMPLES,
    th_id::EXAMPLES,
    tr_tckn::EXAMPLES,
    uk_nhs::EXAMPLES,
    uk_nino::EXAMPLES,
    us_itin::EXAMPLES,
    us_ssn::EXAMPLES,
    za_id::EXAMPLES,
];
