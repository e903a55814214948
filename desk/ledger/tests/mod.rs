//! Ledgers on disk: written, cut off, tampered with, and read by a foreign implementation.

mod foreign;
mod recovery;
mod retention;
mod support;
mod tampering;
mod witnessing;
mod writing;
