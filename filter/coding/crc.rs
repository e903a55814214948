//! The checksum CRC-32, as gzip has it (RFC 1952, section 8).

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    let mut index = 0;
    while index < 256 {
        let mut sum = byte;
        let mut bit = 0;
        while bit < 8 {
            let out = sum & 1;
            sum >>= 1;
            if out == 1 {
                sum ^= 0xEDB8_8320;
            }
            bit += 1;
        }
        // A loop in a constant has no other way to an element.
        #[allow(clippy::indexing_slicing)]
        {
            table[index] = sum;
        }
        index += 1;
        byte += 1;
    }
    table
}

/// A checksum of the bytes so far.
#[derive(Debug, Default)]
pub struct Crc(u32);

impl Crc {
    /// Takes the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        let sum = bytes.iter().fold(!self.0, |sum, byte| {
            let [low, ..] = sum.to_le_bytes();
            let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0);
            entry ^ (sum >> 8)
        });
        self.0 = !sum;
    }

    /// The checksum of all bytes that were taken; 0 if there were none.
    #[must_use]
    pub fn value(&self) -> u32 {
        self.0
    }
}
