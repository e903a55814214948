//! Encoders of the content codings that a model server may send.

use std::io::Write;

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

pub fn deflate(text: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(text, 6)
}

pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut sum = !0_u32;
    for byte in text {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(sum & 1));
        }
    }
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend(compress_to_vec(text, 6));
    bytes.extend((!sum).to_le_bytes());
    bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    bytes
}

pub fn brotli(text: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    encoder.write_all(text).unwrap();
    encoder.into_inner()
}

pub fn zstd(text: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(text, CompressionLevel::Fastest)
}

/// Brotli of texts, cut where each of them can be decoded.
pub fn flushed(texts: &[String]) -> Vec<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    let mut pieces = Vec::new();
    let mut done = 0;
    for text in texts {
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.flush().unwrap();
        pieces.push(encoder.get_ref()[done..].to_vec());
        done = encoder.get_ref().len();
    }
    let all = encoder.into_inner();
    pieces.push(all[done..].to_vec());
    pieces
}
