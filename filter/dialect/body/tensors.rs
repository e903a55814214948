//! Tensors of KServe V2 over HTTP, and the extension by which their bytes stand behind the JSON
//! (<https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md>).

use base::wire::Elements;

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
    /// Numbers of a byte, which may be text.
    bytes: Vec<u8>,
    /// How many bytes of it stand behind the JSON.
    pub(super) binary: Option<u64>,
}

/// What a tensor's elements are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// It is not said, or is nothing that is known.
    #[default]
    Unknown,
    /// Numbers of more than a byte.
    Numbers,
    /// Numbers of a byte.
    Octets,
    /// Texts.
    Texts,
}

/// More bytes of numbers are no text.
const MAX_OCTETS: usize = 1 << 20;

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
            "UINT8" | "INT8" => Kind::Octets,
            "BOOL" | "UINT16" | "UINT32" | "UINT64" | "INT16" | "INT32" | "INT64" | "FP16"
            | "FP32" | "FP64" | "BF16" => Kind::Numbers,
            _ => Kind::Unknown,
        };
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
        if keep
            && self.bytes.len() < MAX_OCTETS
            && let Some(byte) = number.and_then(|number| u8::try_from(number).ok())
        {
            self.bytes.push(byte);
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

    /// Shows what its numbers may spell.
    pub(in crate::dialect) fn show(&self, texts: &mut Texts<'_>) {
        if self.kind == Kind::Octets {
            texts.text(&String::from_utf8_lossy(&self.bytes));
            if self.bytes.len() >= MAX_OCTETS {
                texts.unread();
            }
        }
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
            Kind::Octets => texts.text(&String::from_utf8_lossy(own)),
            Kind::Texts => {
                let mut elements = Elements::new(own, (0, own.len()));
                loop {
                    match elements.read_next() {
                        Ok(None) => break,
                        Ok(Some((_, (start, end)))) => {
                            count += 1;
                            let bytes = own.get(start..end).unwrap_or_default();
                            texts.text(&String::from_utf8_lossy(bytes));
                        }
                        Err(_) => return Err("An input's bytes are not a list of texts."),
                    }
                }
            }
        }
        Ok(count)
    }
}
