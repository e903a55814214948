//! The version of the module, for tools that read it without running it.

const STAMP: &str = concat!("portcullis ", env!("CARGO_PKG_VERSION"));

/// The custom section `portcullis.version`. It stays when names and debug sections are stripped.
#[used]
#[unsafe(link_section = "portcullis.version")]
static VERSION: [u8; STAMP.len()] = match STAMP.as_bytes().first_chunk() {
    Some(bytes) => *bytes,
    None => [0; STAMP.len()],
};
