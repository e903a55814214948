//! Cosignatures (c2sp.org/tlog-cosignature) with Ed25519: a witness says when it saw a checkpoint, and
//! that nothing it had seen before was changed.

use ed25519_dalek::{Signature, Signer as _};

use super::note::{Note, Private, Public};

/// The type of Ed25519 keys that cosign.
const COSIGNATURE: u8 = 4;

/// How many bytes of a cosignature are its time.
const TIME_BYTES: usize = 8;

/// The public key of a witness.
pub type WitnessKey = Public<COSIGNATURE>;

/// The private key of a witness.
pub type Cosigner = Private<COSIGNATURE>;

impl WitnessKey {
    /// When this witness saw the checkpoint that the note is, in seconds since 1970: the latest of its
    /// cosignatures that are right, if one is.
    #[must_use]
    pub fn has_seen(&self, note: &Note) -> Option<u64> {
        let right = |bytes: &[u8]| {
            let (time, signature) = bytes.split_first_chunk::<TIME_BYTES>()?;
            let time = u64::from_be_bytes(*time);
            let signature = Signature::from_slice(signature).ok()?;
            let text = message(&note.text, time);
            let holds = self.key.verify_strict(text.as_bytes(), &signature).is_ok();
            (holds && i64::try_from(time).is_ok()).then_some(time)
        };
        self.own(note).filter_map(right).max()
    }
}

impl Cosigner {
    /// The line of this witness for a checkpoint's text, which ends with a newline. `time` is in
    /// seconds since 1970.
    #[must_use]
    pub fn cosign(&self, text: &str, time: u64) -> String {
        let signature = self.key.sign(message(text, time).as_bytes()).to_bytes();
        self.public()
            .line(&[&time.to_be_bytes()[..], &signature].concat())
    }
}

/// What is signed.
fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::note::PrivateKey;

    #[test]
    fn the_example_of_the_specification_has_its_form() {
        // The specification says nothing of the example's public key, so only its form can be held.
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let cosigner = Cosigner::new("witness.example.com/w1", &[7; 32]).unwrap();
        let line = cosigner.cosign(text, 1_679_315_147);
        let theirs = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        assert_eq!(line.len(), theirs.len());
        let note = Note::parse(&format!("{text}\n{line}{theirs}")).unwrap();
        assert_eq!(cosigner.public().has_seen(&note), Some(1_679_315_147));
        let other = Cosigner::new("witness.example.com/w1", &[8; 32]).unwrap();
        assert_eq!(other.public().has_seen(&note), None);
    }

    #[test]
    fn a_cosignature_holds_for_its_text_time_name_and_type_only() {
        let text = "log\n7\nroot\n";
        let cosigner = Cosigner::new("w", &[1; 32]).unwrap();
        let line = cosigner.cosign(text, 9);
        let seen = |note: &str| cosigner.public().has_seen(&Note::parse(note).unwrap());
        assert_eq!(seen(&format!("{text}\n{line}")), Some(9));
        let later = cosigner.cosign(text, 12);
        assert_eq!(seen(&format!("{text}\n{later}{line}")), Some(12));
        for wrong in [
            format!("log\n8\nroot\n\n{line}"),
            format!("{text}\n{}", line.replace(" w ", " v ")),
            format!("{text}\n{}", cosigner.public().line(&[0; 72])),
            format!("{text}\n{}", cosigner.public().line(&[0; 7])),
            format!("{text}\n{}", cosigner.cosign(text, u64::MAX)),
        ] {
            assert_eq!(seen(&wrong), None, "{wrong}");
        }
        // The same secret as a log's key has another id, and is no witness.
        let log = PrivateKey::new("w", &[1; 32]).unwrap();
        assert_eq!(seen(&log.sign(text)), None);
        assert_eq!(WitnessKey::parse(&log.public().to_string()), None);
        let key = cosigner.public().to_string();
        assert_eq!(WitnessKey::parse(&key).as_ref(), Some(cosigner.public()));
        assert_eq!(
            Cosigner::parse(&cosigner.to_text()).unwrap().public(),
            cosigner.public()
        );
    }
}
