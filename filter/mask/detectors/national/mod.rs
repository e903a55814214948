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

use std::sync::LazyLock;

use super::front::{Front, Vocabulary};
use super::person::announces_phone;
use super::{
    Detect, Hit, LEAD, LETTERS, LONGEST_SEPARATOR, Miss, Separator, Start, Window, alphanumeric,
    hit, separator,
};

/// Digits and letters of the longest number.
const MOST: usize = 24;

/// How many words in front may say what a number is.
const NEAR: usize = 8;

/// One state's number.
struct Number {
    /// Behind `national_id.`.
    name: &'static str,
    label: &'static str,
    forms: &'static [Form],
    /// Whether digits and letters, without separators and in upper case, are such a number.
    valid: fn(&[u8]) -> bool,
    /// What it is called.
    words: &'static LazyLock<Vocabulary>,
}

/// One way to write a number.
struct Form {
    layout: &'static [u8],
    /// Where something else than a digit or letter is expected first.
    gap: usize,
    needs: Needs,
}

/// What must stand in front of a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// No word that announces a phone number, which is written like this too.
    NoPhone,
    /// One of its words.
    Word,
}

const fn alone(layout: &'static str) -> Form {
    form(layout, Needs::Nothing)
}

const fn unless_phone(layout: &'static str) -> Form {
    form(layout, Needs::NoPhone)
}

const fn with_word(layout: &'static str) -> Form {
    form(layout, Needs::Word)
}

const fn form(layout: &'static str, needs: Needs) -> Form {
    let layout = layout.as_bytes();
    let mut rest = layout;
    while let [b'#' | b'@' | b'*', tail @ ..] = rest {
        rest = tail;
    }
    Form {
        layout,
        gap: layout.len() - rest.len(),
        needs,
    }
}

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

struct National(&'static Number);

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    if name == "us_ssn" {
        return Some((Box::new(us_ssn::UsSsn), "US_SSN"));
    }
    let name = name.strip_prefix("national_id.")?;
    let number = NUMBERS.iter().find(|number| number.name == name)?;
    Some((Box::new(National(number)), number.label))
}

impl Detect for National {
    fn starts(&self, first: u8) -> Start {
        let mut forms = self.0.forms.iter();
        if forms.any(|form| form.layout.first().is_some_and(|kind| fits(*kind, first))) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        for form in self.0.forms {
            let word = || Front::new(window.behind).says(NEAR, self.0.words);
            let read = match form.read(window) {
                Ok(Some(read)) => read,
                // Nothing waits that needs a word which is not there.
                Err(Miss::More) if form.needs_word(window) && !word() => continue,
                Err(miss) => return Err(miss),
                Ok(None) => continue,
            };
            let characters = read.characters.get(..read.count).unwrap_or_default();
            if !(self.0.valid)(characters) || !read.is_whole(window)? {
                continue;
            }
            let enough = match form.needs {
                _ if read.lower_case => false,
                Needs::Nothing => true,
                Needs::NoPhone => !announces_phone(window.behind),
                Needs::Word => false,
            };
            if enough || word() {
                return Ok(hit(read.len));
            }
        }
        Err(Miss::No)
    }

    fn digits(&self) -> usize {
        let count = |form: &Form| {
            let lead = form.layout.get(..LEAD / LONGEST_SEPARATOR);
            let lead = lead.unwrap_or(form.layout);
            let letters = |kinds: &[u8]| kinds.iter().all(|kind| matches!(kind, b'@' | b'*'));
            let word = lead.windows(LETTERS).position(letters);
            let lead = lead.get(..word.unwrap_or(lead.len())).unwrap_or(lead);
            lead.iter().filter(|kind| **kind == b'#').count()
        };
        self.0.forms.iter().map(count).min().unwrap_or(0)
    }

    fn run(&self) -> usize {
        // What is itself is graphic; separators may be spaces, or beyond ASCII.
        let count = |form: &Form| {
            let kinds = form.layout.iter();
            kinds
                .take_while(|kind| !matches!(**kind, b' ' | b'-' | b'~'))
                .count()
        };
        self.0.forms.iter().map(count).min().unwrap_or(0)
    }

    fn bound(&self) -> usize {
        let longest = |form: &Form| form.layout.len() + LONGEST_SEPARATOR * 6 + 2;
        self.0.forms.iter().map(longest).max().unwrap_or(0)
    }
}

fn fits(kind: u8, byte: u8) -> bool {
    match kind {
        b'#' => byte.is_ascii_digit(),
        b'@' => byte.is_ascii_alphabetic(),
        b'*' => byte.is_ascii_alphanumeric(),
        itself => byte == itself,
    }
}

/// What stands in a layout.
struct Read {
    characters: [u8; MOST],
    count: usize,
    lower_case: bool,
    /// What separates its groups.
    separator: Option<Separator>,
    len: usize,
}

impl Form {
    /// Reads what stands in the layout, if it is that.
    fn read(&self, window: &Window<'_>) -> Result<Option<Read>, Miss> {
        if self.misses(window) {
            return Ok(None);
        }
        let mut read = Read {
            characters: [0; MOST],
            count: 0,
            lower_case: false,
            separator: None,
            len: 0,
        };
        for kind in self.layout {
            if matches!(kind, b' ' | b'-' | b'~') {
                let found = separator(window, read.len)?;
                let Some((found, len)) = found.filter(|(found, _)| match kind {
                    b' ' => *found == Separator::Space,
                    b'-' => *found == Separator::Dash,
                    _ => read.separator.is_none_or(|before| before == *found),
                }) else {
                    return Ok(None);
                };
                read.separator = Some(found);
                read.len += len;
                continue;
            }
            let Some(byte) = window.at(read.len)?.filter(|byte| fits(*kind, *byte)) else {
                return Ok(None);
            };
            read.len += 1;
            if alphanumeric(byte) {
                read.lower_case |= byte.is_ascii_lowercase();
                if let Some(place) = read.characters.get_mut(read.count) {
                    *place = byte.to_ascii_uppercase();
                }
                read.count += 1;
            }
        }
        Ok(Some(read))
    }

    /// Whether what is known of the number needs a word in front.
    fn needs_word(&self, window: &Window<'_>) -> bool {
        let mut known = window.bytes.iter().take(self.layout.len());
        self.needs == Needs::Word || known.any(u8::is_ascii_lowercase)
    }

    /// Whether a look at what stands in the place of the first separator, or behind a number
    /// without any, says that this is something else. Most numbers of a text end here.
    fn misses(&self, window: &Window<'_>) -> bool {
        let Some(byte) = window.bytes.get(self.gap) else {
            return false;
        };
        match self.layout.get(self.gap) {
            None => alphanumeric(*byte),
            Some(b' ' | b'-' | b'~') => !matches!(byte, b' ' | b'-' | 0xc2 | 0xe2),
            Some(itself) => byte != itself,
        }
    }
}

impl Read {
    /// Whether nothing next to it goes on with it.
    fn is_whole(&self, window: &Window<'_>) -> Result<bool, Miss> {
        let behind = window.behind;
        let next = window.at(self.len)?;
        if next.is_some_and(alphanumeric)
            || [b'-', b'.', b'/']
                .iter()
                .any(|byte| behind.digit_then(*byte))
        {
            return Ok(false);
        }
        let spaced = self.separator == Some(Separator::Space);
        if spaced && behind.digit_then(b' ') {
            return Ok(false);
        }
        let joins = matches!(next, Some(b'-' | b'.' | b'/')) || (spaced && next == Some(b' '));
        Ok(!(joins && window.digit_at(self.len + 1)?))
    }
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
