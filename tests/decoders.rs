//! What decoders hold, counted by the allocator: never more than they say.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "benches/hostile/heap.rs"]
mod heap;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis::coding::{Allowance, BUFFER_BYTES, Coding, Decoder};

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// Notes the most that was asked for.
#[derive(Debug, Default)]
struct Noting(Arc<AtomicUsize>);

impl Allowance for Noting {
    fn resize(&mut self, bytes: usize) -> bool {
        self.0.store(bytes, Ordering::Relaxed);
        true
    }
}

/// Text that compresses, but not to nothing.
fn text(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut text = Vec::with_capacity(length + 64);
    while text.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        write!(
            text,
            "{:x} said {} to {:x}. ",
            state >> 20,
            state % 97,
            state >> 25
        )
        .unwrap();
    }
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend(miniz_oxide::deflate::compress_to_vec(text, 6));
    bytes
}

fn brotli(text: &[u8], window: u32, quality: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut bytes, 4096, quality, window);
    encoder.write_all(text).unwrap();
    drop(encoder);
    bytes
}

/// A frame of zstd with a window of 2 to the power of `bits`, in blocks of content as it is, each
/// of which but the first repeats one byte: what is decoded is a great deal, and what came little.
fn zstd(bits: u8, length: usize) -> Vec<u8> {
    const BLOCK: usize = 128 * 1024;
    let mut frame = 0xFD2F_B528_u32.to_le_bytes().to_vec();
    frame.extend([0, (bits - 10) << 3]);
    let most = BLOCK.min(1 << bits);
    let blocks = length.div_ceil(most);
    for at in 0..blocks {
        let last = u32::from(at + 1 == blocks);
        // One in a hundred is as it is, or the ratio would be more than a decoder lets through.
        let raw = at % 100 == 0;
        let kind = u32::from(!raw);
        let size = u32::try_from(most).unwrap();
        frame.extend(&(size << 3 | kind << 1 | last).to_le_bytes()[..3]);
        frame.extend(vec![b'a'; if raw { most } else { 1 }]);
    }
    frame
}

/// What a decoder of this stream held at most, and what it said that it needs.
fn held(coding: Coding, bytes: &[u8]) -> (usize, usize) {
    let said = Arc::new(AtomicUsize::new(coding.most_bytes()));
    let mut buffer = vec![0; BUFFER_BYTES];
    heap::begin();
    let mut decoder = Decoder::within(coding, Box::new(Noting(Arc::clone(&said))));
    let mut decoded = 0;
    for mut piece in bytes.chunks(4096) {
        loop {
            let written = decoder.read(&mut piece, &mut buffer).unwrap();
            if written == 0 {
                break;
            }
            decoded += written;
        }
    }
    assert!(decoded > 0, "{coding:?}");
    (heap::most(), said.load(Ordering::Relaxed))
}

#[test]
fn no_decoder_holds_more_than_it_says() {
    let long = text(14 << 20);
    let some = &long[..1 << 20];
    // Enough for a window to fill and to wrap.
    let beyond = |bits: u32| (3 << bits) / 2 + (1 << 20);
    let mut streams = vec![
        (Coding::Gzip, "gzip".to_owned(), gzip(some)),
        (
            Coding::Deflate,
            "zlib".to_owned(),
            miniz_oxide::deflate::compress_to_vec_zlib(some, 6),
        ),
    ];
    for window in [16, 18, 22, 23] {
        let bytes = brotli(&long[..beyond(window)], window, 2);
        streams.push((Coding::Brotli, format!("br of {window} bits"), bytes));
    }
    // The best quality makes the most tables.
    let bytes = brotli(&some[..128 << 10], 22, 11);
    streams.push((Coding::Brotli, "br at its best".to_owned(), bytes));
    for bits in [10, 17, 18, 19, 20, 22, 23] {
        let bytes = zstd(bits, beyond(u32::from(bits)));
        streams.push((Coding::Zstd, format!("zstd of {bits} bits"), bytes));
    }
    // A frame with a small window, and then one with the largest.
    let bytes = [zstd(22, 8 << 20), zstd(23, 14 << 20)].concat();
    streams.push((Coding::Zstd, "zstd of two frames".to_owned(), bytes));
    let compressed =
        ruzstd::encoding::compress_to_vec(some, ruzstd::encoding::CompressionLevel::Fastest);
    streams.push((Coding::Zstd, "zstd of text".to_owned(), compressed));
    for (coding, name, bytes) in streams {
        let (held, said) = held(coding, &bytes);
        println!("{name}: {} KiB held of {} KiB", held >> 10, said >> 10);
        assert!(held <= said, "{name}: {held} bytes held of {said}");
        assert!(said <= coding.most_bytes(), "{name}: {said} bytes");
    }
}
