//! Files of weights: formats, and what stands behind their names.

use super::{Fate, Spelling, Thing};

/// Endings of the usual formats.
const FORMATS: &[&str] = &[
    ".safetensors",
    ".gguf",
    ".ggml",
    ".onnx",
    ".pt",
    ".pth",
    ".ckpt",
    ".bin",
    ".h5",
    ".keras",
    ".npz",
    ".pkl",
    ".joblib",
    ".pb",
    ".tflite",
    ".mlmodel",
    ".mar",
    ".engine",
    ".nemo",
    ".tar.gz",
    ".zip",
    ".llamafile",
];

/// What a file of some format is asked for as; `FILE` is its name with its ending.
const WAYS: &[&str] = &[
    "/files/FILE",
    "/files/FILE/",
    "/files/FILE.gz",
    "/files/FILE.part1",
    "/files/FILE.1",
    "/files/FILE.sha256",
    "/files/FILE@main",
    "/files/FILE~",
    "/files/FILE-00001-of-00002",
    "/files/FILE%20",
    "/files/FILE.",
    "/files/FILE:0",
    "/files/FILE?download=true",
    "/files/FILE/content",
    "/a/b/c/FILE",
    "/v1/files/FILE/content",
    "/files?name=FILE",
    "/files?path=/a/b/FILE",
    "/files?x=1&path=%2Fa%2FFILE&y=2",
    "/files?FILE",
    "/files?u=https%3A%2F%2Fh%2FFILE%3Fa",
    "/files?u=https%253A%252F%252Fh%252FFILE",
];

pub(super) fn of(thing: &'static Thing) -> Vec<Spelling> {
    if thing.name != "weights" {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut add = |fate, method: &str, target: String| {
        let spelling = Spelling::new(thing, fate, format!("{method} {target}"));
        all.push(spelling.method(method).target(target));
    };
    for (index, ending) in FORMATS.iter().enumerate() {
        let file = format!("prod{ending}");
        // Each format in its own name, in capitals and escaped, and in a third of the ways.
        add(Fate::Plain, "GET", format!("/files/{file}"));
        add(Fate::Plain, "HEAD", format!("/files/{file}"));
        add(Fate::Plain, "POST", format!("/files/{file}"));
        add(
            Fate::Plain,
            "GET",
            format!("/files/{}", file.to_ascii_uppercase()),
        );
        add(
            Fate::Plain,
            "GET",
            format!("/files/{}", file.replace('.', "%2E")),
        );
        let last = ending.chars().next_back().unwrap_or_default();
        let (before, _) = file.split_at(file.len().saturating_sub(last.len_utf8()));
        add(
            Fate::Plain,
            "GET",
            format!("/files/{before}%{:02x}", u32::from(last)),
        );
        add(
            Fate::Crooked,
            "GET",
            format!("/files/{before}%25{:02x}", u32::from(last)),
        );
        add(Fate::Crooked, "GET", format!("/files/{file};x=1"));
        add(Fate::Crooked, "GET", format!("/files/{file}%00.txt"));
        for way in WAYS.iter().skip(1 + index % 3).step_by(3) {
            add(Fate::Plain, "GET", way.replace("FILE", &file));
        }
    }
    for method in [
        "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "COPY", "REPORT",
    ] {
        add(Fate::Plain, method, thing.path.to_owned());
    }
    all
}
