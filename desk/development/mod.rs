//! An issuer of tokens for trying Portcullis where there is no identity provider.
//!
//! Its key lies in a folder, so whoever reads the folder is anybody. Everything that it makes says
//! so: the issuer's name, the key's id, and the file. `portcullis check --strict` refuses it.

mod issuer;
mod mint;

pub use issuer::{Issuer, KEY_FILE, is_development, problems};
pub use mint::{Options, mint};
