//! Made-up English, as much as is asked for: what a language model says when there is little to
//! mask in it. The same seed gives the same text on every machine.

/// The most common words of English, the commonest first: a word's rank decides how often it is
/// taken.
const COMMON: &str = "\
    the of and to a in is that it for you was with on as are be this have from or by not but \
    what all were when we there can an your which their if will each about how up out them then \
    she many some so these would other into has more her two like him see time could no make \
    than first been its who now people my made over did down only way find use may water long \
    little very after words called just where most know get through back much before go good new \
    write our used me man too any day same right look think also around another came come work \
    three word must because does part even place well such here take why things help put years \
    different away again off went old number great tell men say small every found still between \
    name should home big give air line set own under read last never us left end along while \
    might next sound below saw something thought both few those always show large often together \
    asked house world going want school important until form food keep children feet land side \
    without boy once animals life enough took sometimes four head above kind began almost live \
    page got earth need far hand high year mother light parts country father let night following \
    picture being study second eyes soon times story boys since white days ever paper hard near \
    sentence better best across during today others however sure means knew try told young miles \
    sun ways thing whole hear example heard several change answer room sea against top turned";

/// What an answer about some subject says beside the common words.
const RARE: &str = "\
    government temperature approximately function database significant however therefore \
    development agreement knowledge environment particular performance available structure \
    difficult throughout understand position recommendation architecture responsibility \
    configuration population economic industry university customer delivery analysis maintenance \
    efficiency historical mountains harbour instrument vegetables ingredients minutes percent \
    documents parameters variable iteration algorithm measurement consequences alternatives \
    well-known long-term real-time don't it's you're can't isn't we've naïve café façade";

const NAMES: &str = "\
    Anna Peter London Europe Monday March October Smith Chen Maria Johnson Paris Python Linux \
    Amazon Friday Atlantic Berlin Garcia Newton Japan Einstein";

/// A source of text that never ends.
#[derive(Debug, Clone)]
pub struct Prose {
    common: Vec<&'static str>,
    rare: Vec<&'static str>,
    names: Vec<&'static str>,
    state: u64,
    /// After how many sentences an address is mentioned, if ever.
    address_every: Option<u64>,
    sentences: u64,
}

impl Prose {
    /// Text with nothing in it that a detector knows.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let words = |text: &'static str| text.split(' ').collect();
        Self {
            common: words(COMMON),
            rare: words(RARE),
            names: words(NAMES),
            state: seed,
            address_every: None,
            sentences: 0,
        }
    }

    /// As [`Prose::new`], with an e-mail address in one of so many sentences.
    #[must_use]
    pub fn with_addresses(seed: u64, sentences: u64) -> Self {
        Self {
            address_every: Some(sentences.max(1)),
            ..Self::new(seed)
        }
    }

    /// At least `length` bytes of it: whole paragraphs.
    #[must_use]
    pub fn take(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length.saturating_add(4096));
        while text.len() < length {
            self.paragraph(&mut text);
        }
        text
    }

    /// A number below `bound`, for callers that need chance as well.
    pub fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % (bound.max(1) as u64)).unwrap_or(0)
    }

    fn paragraph(&mut self, text: &mut String) {
        match self.below(8) {
            0 => {
                for number in 1..=3 {
                    text.push_str(&format!("{number}. **"));
                    let word = self.word();
                    text.push_str(word);
                    text.push_str("**: ");
                    self.sentence(text);
                    text.push('\n');
                }
            }
            1 => {
                for _ in 0..3 {
                    text.push_str("- ");
                    self.sentence(text);
                    text.push('\n');
                }
            }
            _ => {
                for at in 0..=self.below(5) {
                    if at > 0 {
                        text.push(' ');
                    }
                    self.sentence(text);
                }
                text.push('\n');
            }
        }
        text.push('\n');
    }

    fn sentence(&mut self, text: &mut String) {
        self.sentences = self.sentences.wrapping_add(1);
        let words = self.below(18).saturating_add(4);
        for at in 0..words {
            if at > 0 {
                text.push_str(match self.below(60) {
                    0..=4 => ", ",
                    5 => "; ",
                    6 => " \u{2014} ",
                    7 => ": ",
                    _ => " ",
                });
            }
            match self.below(100) {
                0..=1 => self.number(text),
                2..=5 => {
                    let at = self.below(self.names.len());
                    text.push_str(self.names.get(at).copied().unwrap_or("Anna"));
                }
                6 => {
                    text.push('"');
                    text.push_str(self.word());
                    text.push('"');
                }
                7 => {
                    text.push('(');
                    text.push_str(self.word());
                    text.push(' ');
                    text.push_str(self.word());
                    text.push(')');
                }
                _ if at == 0 => {
                    let mut letters = self.word().chars();
                    text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                    text.push_str(letters.as_str());
                }
                _ => text.push_str(self.word()),
            }
        }
        let address = self.address_every;
        if address.is_some_and(|every| self.sentences.is_multiple_of(every)) {
            text.push_str(" as jane.doe@example.com said");
        }
        text.push_str(match self.below(12) {
            0 => "?",
            1 => "!",
            _ => ".",
        });
    }

    fn word(&mut self) -> &'static str {
        if self.below(5) == 0 {
            let at = self.below(self.rare.len());
            return self.rare.get(at).copied().unwrap_or("government");
        }
        // The rank's reciprocal, roughly, as in any text.
        let bound = self.below(self.common.len()).saturating_add(1);
        let bound = self.below(bound).saturating_add(1);
        let at = self.below(bound);
        self.common.get(at).copied().unwrap_or("the")
    }

    fn number(&mut self, text: &mut String) {
        let number = match self.below(6) {
            0 => self.below(150).saturating_add(1890).to_string(),
            1 => format!("{}.{}", self.below(100), self.below(10)),
            2 => format!("{}%", self.below(100)),
            3 => format!("${},{:03}", self.below(40), self.below(1000)),
            _ => self.below(60).to_string(),
        };
        text.push_str(&number);
    }
}

/// The text as the inside of a JSON string, as servers that keep to ASCII write it.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

/// The text in pieces of about `size` bytes, none cut within a character.
#[must_use]
pub fn pieces(text: &str, size: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut at = size.max(1).min(rest.len());
        while !rest.is_char_boundary(at) {
            at = at.saturating_add(1);
        }
        let (piece, after) = rest.split_at(at);
        pieces.push(piece);
        rest = after;
    }
    pieces
}
