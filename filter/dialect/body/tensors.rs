//! Tensors of KServe V2 over HTTP, and the extension by which their bytes stand behind the JSON
//! (<https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md>).

use base::wire::Elements;

use super::nested;
use super::texts::Texts;

/// An input's tensor, as far as it has been read.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Tensor {
    /// The first dimension.
    first: Option<u64>,
    /// The product of all others.
    rest: u64,
    dimensions: u64,
    wrong: bool,
    kind: Kind,
    /// What is there.
    elements: u64,
    texts: u64,
    /// Whole numbers, which may spell a text.
    numbers: Vec<u32>,
    /// Whether some number is none of these.
    odd: bool,
    /// Whether its name says that its numbers stand for text.
    tokens: bool,
    /// How many bytes of it stand behind the JSON.
    pub(super) binary: Option<u64>,
}

/// What a tensor's elements are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// It is not said, or is nothing that is known.
    #[default]
    Unknown,
    /// Numbers with a fraction.
    Numbers,
    /// Whole numbers of so many bytes.
    Integers(usize),
    /// Numbers of a byte.
    Octets,
    /// Texts.
    Texts,
}

/// More numbers than these are no text.
const MAX_NUMBERS: usize = 1 << 20;

/// What tensors of token ids are called, in small letters and without what stands between words.
const OF_TOKENS: &[&str] = &[
    "ids",
    "inputids",
    "decoderinputids",
    "promptids",
    "tokenids",
    "prompttokenids",
    "inputtokens",
    "prompttokens",
    "tokens",
    "input",
    "inputs",
    "prompt",
    "text",
    "textinput",
    "inputtext",
    "query",
];

impl Tensor {
    /// The next of its dimensions; `None` for what is none.
    pub(in crate::dialect) fn dimension(&mut self, size: Option<u64>) {
        match (size, self.dimensions) {
            (None, _) => self.wrong = true,
            (Some(size), 0) => {
                self.first = Some(size);
                self.rest = 1;
            }
            (Some(size), _) => self.rest = self.rest.saturating_mul(size),
        }
        self.dimensions = self.dimensions.saturating_add(1);
    }

    pub(in crate::dialect) fn set_type(&mut self, name: &str) {
        self.kind = match name {
            "BYTES" => Kind::Texts,
            "UINT8" => Kind::Octets,
            "INT8" => Kind::Integers(1),
            "UINT16" | "INT16" => Kind::Integers(2),
            "UINT32" | "INT32" => Kind::Integers(4),
            "UINT64" | "INT64" => Kind::Integers(8),
            "BOOL" | "FP16" | "FP32" | "FP64" | "BF16" => Kind::Numbers,
            _ => Kind::Unknown,
        };
    }

    pub(in crate::dialect) fn set_name(&mut self, name: &str) {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        self.tokens = OF_TOKENS.contains(&name.as_str());
    }

    pub(in crate::dialect) fn element(&mut self) {
        self.elements(1);
    }

    pub(in crate::dialect) fn elements(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.elements = self.elements.saturating_add(count);
    }

    pub(in crate::dialect) fn text(&mut self) {
        self.element();
        self.texts = self.texts.saturating_add(1);
    }

    pub(in crate::dialect) fn number(&mut self, number: Option<u64>, keep: bool) {
        self.element();
        if keep && self.numbers.len() < MAX_NUMBERS {
            match number.and_then(|number| u32::try_from(number).ok()) {
                // What is shorter than its tensor is filled up with these.
                Some(0) => {}
                Some(number) => self.numbers.push(number),
                None => self.odd = true,
            }
        }
    }

    /// How many inputs it holds: the largest of what its shape declares and what is there. Servers
    /// that take texts one by one ignore the shape.
    pub(in crate::dialect) fn rows(&self) -> Result<u64, &'static str> {
        if self.wrong {
            return Err("An input's \"shape\" is not a list of whole numbers.");
        }
        let there = self.elements.div_ceil(self.rest.max(1));
        Ok(self.first.unwrap_or(1).max(there).max(self.texts))
    }

    /// Shows what its numbers may spell: a character each, or the bytes of a text.
    pub(in crate::dialect) fn show(&self, texts: &mut Texts<'_>) {
        if self.elements == 0 || !texts.wanted() {
            return;
        }
        let characters = self.numbers.iter().copied().filter_map(char::from_u32);
        texts.text(&characters.collect::<String>());
        let bytes = self.numbers.iter().flat_map(|number| number.to_le_bytes());
        let bytes: Vec<u8> = bytes.filter(|byte| *byte != 0).collect();
        texts.text(&String::from_utf8_lossy(&bytes));
        let uncertain = match self.kind {
            // Servers wrap what is no byte, cut it off, or refuse it.
            Kind::Octets => self.odd || nested::is_document(&bytes),
            Kind::Integers(_) => self.tokens && self.elements > 1,
            Kind::Unknown | Kind::Numbers | Kind::Texts => return,
        };
        if uncertain || self.numbers.len() >= MAX_NUMBERS {
            texts.unread();
        }
    }

    /// Shows what whole numbers of so many bytes may spell, the low byte first.
    fn show_integers(&self, own: &[u8], width: usize, texts: &mut Texts<'_>) {
        if !texts.wanted() {
            return;
        }
        let mut inner = Self {
            kind: self.kind,
            tokens: self.tokens,
            ..Self::default()
        };
        for unit in own.chunks_exact(width) {
            let whole = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
            inner.number(Some(unit.iter().rev().fold(0, whole)), true);
        }
        inner.show(texts);
    }

    /// Takes its bytes off those that stand behind the JSON: how many texts they are.
    pub(in crate::dialect) fn read_binary(
        &self,
        rest: &mut &[u8],
        texts: &mut Texts<'_>,
    ) -> Result<u64, &'static str> {
        const LONG: &str = "An input's \"binary_data_size\" is more than is there.";
        let size = usize::try_from(self.binary.unwrap_or_default()).map_err(|_| LONG)?;
        let (own, behind) = rest.split_at_checked(size).ok_or(LONG)?;
        *rest = behind;
        texts.bytes(own);
        self.read_bytes(own, texts)
    }

    /// Shows what its bytes spell: how many texts they are.
    pub(in crate::dialect) fn read_bytes(
        &self,
        own: &[u8],
        texts: &mut Texts<'_>,
    ) -> Result<u64, &'static str> {
        let mut count = 0;
        match self.kind {
            Kind::Unknown => return Err("An input's bytes are of no known type."),
            Kind::Numbers => {}
            Kind::Integers(width) => self.show_integers(own, width, texts),
            Kind::Octets => {
                let bytes: Vec<u8> = own.iter().copied().filter(|byte| *byte != 0).collect();
                texts.text(&String::from_utf8_lossy(&bytes));
                if nested::is_document(own) {
                    texts.unread();
                }
            }
            Kind::Texts => {
                let mut elements = Elements::new(own, (0, own.len()));
                loop {
                    match elements.read_next() {
                        Ok(None) => break,
                        Ok(Some((_, (start, end)))) => {
                            count += 1;
                            let bytes = own.get(start..end).unwrap_or_default();
                            texts.document(bytes);
                        }
                        Err(_) => return Err("An input's bytes are not a list of texts."),
                    }
                }
            }
        }
        Ok(count)
    }
}
