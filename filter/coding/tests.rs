use std::io::Write;

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use proptest::collection::vec;
use proptest::prelude::*;

use super::crc::Crc;
use super::{Coding, Decoder, Error, Unknown, whole};

const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

fn gzip(text: &[u8], flags: u8, header: &[u8]) -> Vec<u8> {
    let mut sum = Crc::default();
    sum.add(text);
    let mut bytes = vec![0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 3];
    bytes.extend(header);
    bytes.extend(compress_to_vec(text, 6));
    bytes.extend(sum.value().to_le_bytes());
    bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    bytes
}

fn brotli(text: &[u8], window: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut bytes, 4096, 5, window);
    encoder.write_all(text).unwrap();
    drop(encoder);
    bytes
}

fn zstd(text: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(text, CompressionLevel::Fastest)
}

fn encode(coding: Coding, text: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => gzip(text, 0, b""),
        Coding::Deflate => compress_to_vec_zlib(text, 6),
        Coding::Brotli => brotli(text, 20),
        Coding::Zstd => zstd(text),
    }
}

/// Decodes in pieces of these lengths, one after another, into buffers of `room`.
fn pieces(
    coding: Coding,
    mut bytes: &[u8],
    lengths: &[usize],
    room: usize,
) -> Result<Vec<u8>, Error> {
    let mut decoder = Decoder::new(coding);
    let (mut out, mut buffer) = (Vec::new(), vec![0; room]);
    let mut lengths = lengths.iter().cycle();
    while !bytes.is_empty() {
        let length = (*lengths.next().unwrap()).clamp(1, bytes.len());
        let (mut now, later) = bytes.split_at(length);
        bytes = later;
        loop {
            let written = decoder.read(&mut now, &mut buffer)?;
            if written == 0 {
                assert!(now.is_empty(), "{coding:?} leaves input behind");
                break;
            }
            out.extend_from_slice(&buffer[..written]);
        }
    }
    decoder.finish()?;
    Ok(out)
}

fn text() -> Vec<u8> {
    (0..400)
        .flat_map(|at| {
            format!("{{\"n\":{},\"text\":\"line {at}\"}}\n", at * 7919 % 1000).into_bytes()
        })
        .collect()
}

#[test]
fn names_are_known_in_any_case() {
    assert_eq!(Coding::named(b"GZip"), Some(Coding::Gzip));
    assert_eq!(Coding::named(b"x-gzip"), Some(Coding::Gzip));
    assert_eq!(Coding::named(b"br"), Some(Coding::Brotli));
    assert_eq!(Coding::named(b"compress"), None);
    assert_eq!(Coding::named(b"identity"), None);
    let applied =
        |values: &[&'static str]| Coding::applied(values.iter().map(|one| one.as_bytes()));
    for none in [&[][..], &[""], &["identity"], &[" , Identity,", "identity"]] {
        assert_eq!(applied(none), Ok(None), "{none:?}");
    }
    for one in [&["gzip"][..], &["identity, GZIP"], &["", "gzip"]] {
        assert_eq!(applied(one), Ok(Some(Coding::Gzip)), "{one:?}");
    }
    for more in [
        &["gzip, gzip"][..],
        &["br", "gzip"],
        &["compress"],
        &["gzip;q=1"],
    ] {
        assert_eq!(applied(more), Err(Unknown), "{more:?}");
    }
}

#[test]
fn every_coding_is_decoded_in_pieces_of_any_length() {
    let text = text();
    for coding in ALL {
        let bytes = encode(coding, &text);
        assert!(bytes.len() < text.len(), "{coding:?}");
        for (length, room) in [
            (1, 1),
            (1, 4096),
            (7, 13),
            (usize::MAX, 1),
            (1 << 20, 1 << 20),
        ] {
            let decoded = pieces(coding, &bytes, &[length], room);
            assert_eq!(decoded.as_ref(), Ok(&text), "{coding:?}, {length}, {room}");
        }
        assert_eq!(
            whole(coding, &encode(coding, b""), 0),
            Ok(Vec::new()),
            "{coding:?}"
        );
    }
}

#[test]
fn what_is_cut_short_is_no_whole_stream() {
    for coding in ALL {
        let bytes = encode(
            coding,
            b"some text that is long enough to be told apart, and then some",
        );
        for end in 1..bytes.len() {
            let cut = pieces(coding, &bytes[..end], &[usize::MAX], 4096);
            assert_eq!(
                cut,
                Err(Error::Truncated),
                "{coding:?}, {end} of {}",
                bytes.len()
            );
        }
        // An answer without a body has no coding either.
        assert_eq!(Decoder::new(coding).finish(), Ok(()));
    }
}

#[test]
fn what_follows_a_stream_is_an_error_unless_it_is_one_more() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let mut twice = encode(coding, b"one, ");
        twice.extend(encode(coding, b"two"));
        assert_eq!(pieces(coding, &twice, &[3], 8), Ok(b"one, two".to_vec()));
    }
    for coding in ALL {
        let mut bytes = encode(coding, b"text");
        bytes.extend(b"{\"more\":\"jane@example.com\"}");
        assert_eq!(
            whole(coding, &bytes, 1 << 20),
            Err(Error::Malformed),
            "{coding:?}"
        );
    }
}

#[test]
fn a_gzip_header_may_have_all_its_parts() {
    let header = [&[3, 0, 1, 2, 3][..], b"name\0", b"comment\0", &[9, 9]].concat();
    let bytes = gzip(b"text", 2 | 4 | 8 | 16, &header);
    assert_eq!(pieces(Coding::Gzip, &bytes, &[1], 9), Ok(b"text".to_vec()));
    assert_eq!(
        whole(Coding::Gzip, &gzip(b"", 0x20, b""), 9),
        Err(Error::Malformed)
    );
    let endless = gzip(b"text", 8, &vec![b'x'; 1 << 17]);
    assert_eq!(whole(Coding::Gzip, &endless, 9), Err(Error::TooLarge));
}

#[test]
fn checksums_and_lengths_of_gzip_are_verified() {
    let good = gzip(b"text", 0, b"");
    for at in good.len() - 8..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(whole(Coding::Gzip, &bad, 9), Err(Error::Malformed));
    }
}

#[test]
fn bare_deflate_is_read_too() {
    let text = text();
    let bytes = compress_to_vec(&text, 6);
    for length in [1, 2, 5000] {
        assert_eq!(
            pieces(Coding::Deflate, &bytes, &[length], 100).as_ref(),
            Ok(&text)
        );
    }
}

#[test]
fn bombs_are_defused() {
    let zeros = vec![0; 1 << 23];
    for coding in ALL {
        let bomb = encode(coding, &zeros);
        // Beside what may always be decoded, the ratio counts.
        let expected = if bomb.len() * 400 >= zeros.len() {
            Ok(zeros.clone())
        } else {
            Err(Error::TooLarge)
        };
        assert!(
            pieces(coding, &bomb, &[1000], 1 << 14) == expected,
            "{coding:?}"
        );
        assert_eq!(
            whole(coding, &bomb, 1 << 16),
            Err(Error::TooLarge),
            "{coding:?}"
        );
    }
    // Deflate itself reaches 1032 to 1.
    assert!(encode(Coding::Gzip, &zeros).len() * 400 < zeros.len());
}

#[test]
fn large_windows_are_refused() {
    let text = text();
    assert_eq!(
        whole(Coding::Brotli, &brotli(&text, 23), 1 << 20).as_ref(),
        Ok(&text)
    );
    assert_eq!(
        whole(Coding::Brotli, &brotli(&text, 24), 1 << 20),
        Err(Error::TooLarge)
    );
    // Brotli's larger windows, which are no part of HTTP.
    assert_eq!(
        whole(Coding::Brotli, &[0x11, 0x1E, 0], 9),
        Err(Error::TooLarge)
    );
    // Frames of zstd that ask for 8 MiB, for 16 MiB, and for 8 MiB and a byte in one segment.
    let frame = |rest: &[u8]| [&[0x28, 0xB5, 0x2F, 0xFD][..], rest, &[1, 0, 0]].concat();
    assert_eq!(
        whole(Coding::Zstd, &frame(&[0, 13 << 3]), 9),
        Ok(Vec::new())
    );
    assert_eq!(
        whole(Coding::Zstd, &frame(&[0, 14 << 3]), 9),
        Err(Error::TooLarge)
    );
    let segment = frame(&[0xA0, 1, 0, 0x80, 0]);
    assert_eq!(whole(Coding::Zstd, &segment, 9), Err(Error::TooLarge));
}

#[test]
fn frames_of_zstd_may_be_skipped_and_may_have_a_checksum() {
    let mut bytes = vec![0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, b'x', b'y', b'z'];
    // A raw block of three bytes, the last one, and four bytes of a checksum behind it.
    bytes.extend([
        0x28, 0xB5, 0x2F, 0xFD, 4, 8, 0x19, 0, 0, b'a', b'b', b'c', 1, 2, 3, 4,
    ]);
    for length in [1, 4, 100] {
        assert_eq!(
            pieces(Coding::Zstd, &bytes, &[length], 10),
            Ok(b"abc".to_vec())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_comes_back(
        text in vec(prop_oneof![4 => b'a'..b'e', 1 => any::<u8>()], 0..3000),
        lengths in vec(1_usize..200, 1..5),
        room in 1_usize..300,
    ) {
        for coding in ALL {
            let bytes = encode(coding, &text);
            prop_assert_eq!(pieces(coding, &bytes, &lengths, room), Ok(text.clone()));
        }
    }

    #[test]
    fn damaged_streams_end_in_errors_alike_for_every_split(
        text in vec(prop_oneof![4 => b'a'..b'e', 1 => any::<u8>()], 0..600),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        lengths in vec(1_usize..200, 1..5),
    ) {
        for coding in ALL {
            let mut bytes = encode(coding, &text);
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let at_once = pieces(coding, &bytes, &[usize::MAX], 512);
            prop_assert_eq!(pieces(coding, &bytes, &lengths, 64), at_once);
        }
    }

    #[test]
    fn anything_at_all_is_read_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        for coding in ALL {
            let _ = whole(coding, &bytes, 1 << 20);
        }
        // The same behind a good beginning.
        let zstd = [&[0x28, 0xB5, 0x2F, 0xFD, 0, 0x58][..], &bytes].concat();
        let _ = whole(Coding::Zstd, &zstd, 1 << 20);
        let gzip = [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3][..], &bytes].concat();
        let _ = whole(Coding::Gzip, &gzip, 1 << 20);
    }
}
