//! Words in front of a number that tell whether it is a phone number.

use std::sync::LazyLock;

use crate::detectors::context_words::{ContextWords, Vocabulary, Word};
use crate::window::Behind;

/// Words that announce a phone number.
static FOR: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new(
        "phone* telephone* tel tels telno fon fone mobile* mobil mob cell cellphone* cellular
         landline fax* telefax call calls called calling callback caller dial* reach
         reached sms whatsapp viber wechat imessage contact contacts hotline helpline pager
         voicemail answering msisdn
         telefon* handy handynummer rufnummer anruf* mobilnummer telefoon* bel puhelin*
         zadzwo*
         téléphone* portable appel* joindre teléfono* telefono* telefone* móvil* movil*
         celular* llam* cellulare chiam* ligue ligar
         тел Тел телефон* Телефон* моб Моб звон* Звон* *电话* *手机* *電話* *携帯* *전화* *연락처* هاتف",
    )
});

/// Words that announce one where nothing but punctuation stands between.
const FOR_BESIDE: &[&[u8]] = &[b"office", b"home", b"work", b"direct", b"switchboard"];

/// Letters that do so with a colon or a parenthesis behind them.
const FOR_INITIAL: &[u8] = b"tpmfchow";

/// Owners of "number": "card number" is something else than "my number".
const OWNERS: &[&[u8]] = &[b"my", b"your", b"his", b"her", b"our", b"their", b"s"];

/// Words that announce another number.
static AGAINST: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new(
        "u int uint long const order* invoice* ticket* card* account* acct zip zipcode postal* postcode plz id ids
         uid uuid guid case ref reference* serial part sku isbn issn doi pmid ean upc gtin
         licen* passport ssn social security tax vat itin ein iban swift bic routing sort
         version build release revision commit model apt apartment suite room floor street
         address* box flight tracking shipment parcel page* pp vol volume issue* figure
         table section date* born dob birth* lat* lon lng longitude coordinate* port pid
         timestamp epoch unix price* total* amount* sum cost* usd eur gbp population patent
         claim* policy member* customer* employee* student* transaction* payment*
         confirmation booking reservation batch lot item product* code pin otp seed between
         range* nhs nino national score*",
    )
});

/// How many words in front may object to a form that is known.
const MAX_WORDS_BACK: usize = 3;

/// Whether a word right in front, in the same line, says that a number is something else.
pub(super) fn object(behind: Behind<'_>) -> bool {
    let front = ContextWords::new(behind);
    for word in front.words().take(MAX_WORDS_BACK) {
        if word.between.contains(&b'\n') || FOR.has(word.word) {
            return false;
        }
        if AGAINST.has(word.word) {
            return true;
        }
    }
    false
}

/// Whether the nearest word that says anything announces a phone number, or an address does.
pub(in crate::detectors) fn announce(behind: Behind<'_>) -> bool {
    let front = ContextWords::new(behind);
    if below_address(&front) {
        return true;
    }
    let mut owned = false;
    for word in front.words() {
        if FOR.has(word.word) || beside(&word) || (owned && OWNERS.contains(&word.word)) {
            return true;
        }
        if AGAINST.has(word.word) {
            return false;
        }
        owned = word.word == b"number";
    }
    false
}

/// Whether the line above ends with a word and a postal code, as addresses do.
fn below_address(front: &ContextWords) -> bool {
    let Some(word) = front.words().next() else {
        return false;
    };
    let [b' ', code @ .., b'\n'] = word.between else {
        return false;
    };
    let year = code.len() == 4 && (code.starts_with(b"19") || code.starts_with(b"20"));
    (4..=6).contains(&code.len())
        && code.iter().all(u8::is_ascii_digit)
        && !year
        && word.word.len() > 1
        && !word.glued
        && !AGAINST.has(word.word)
}

fn beside(word: &Word<'_>) -> bool {
    if word.between.iter().any(u8::is_ascii_digit) || word.between.len() > 4 {
        return false;
    }
    let initial = match (word.word, word.between) {
        ([letter], [b':' | b')', ..]) => FOR_INITIAL.contains(letter) && !word.glued,
        _ => false,
    };
    initial || FOR_BESIDE.contains(&word.word)
}
