//! Takes certificates and keys anew when their files change.

use std::time::Duration;

use tokio::sync::watch;

use super::failure::TlsFailure;
use super::material::{Loaded, Material, read};
use crate::config;
use crate::stop::Stop;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Looks at the files until the stop is requested. What they say is for connections from then on; what is wrong
/// leaves everything as it was, and is logged if it is still so at the next look: files that belong together
/// change one after another.
pub(super) async fn keep_up(
    files: config::Tls,
    mut present: Material,
    loaded: watch::Sender<Loaded>,
    mut stop: Stop,
) {
    let mut trouble = Trouble::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.requested() => return,
        }
        let look = files.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let material = read(&look)?;
            let loaded = material.load(&look)?;
            Ok((material, loaded))
        });
        match looked.await {
            Ok(Ok((material, new))) => {
                trouble = Trouble::default();
                if material != present {
                    present = material;
                    // The receivers live as long as connections are taken.
                    let _ = loaded.send(new);
                    tracing::info!("the TLS files have changed, and are used from now on");
                }
            }
            Ok(Err(failure)) => {
                if let Some(failure) = trouble.again(failure) {
                    tracing::error!(%failure, "the TLS files are not as they should be: those before are still used");
                }
            }
            Err(_) => return,
        }
    }
}

/// What has been wrong since when.
#[derive(Default)]
struct Trouble(Option<(TlsFailure, bool)>);

impl Trouble {
    /// What is to be said of a failure: itself, the second time that it is found.
    fn again(&mut self, failure: TlsFailure) -> Option<TlsFailure> {
        let known = self.0.take_if(|(known, _)| *known == failure);
        let (seen, said) = known.map_or((false, false), |(_, said)| (true, said));
        self.0 = Some((failure.clone(), seen));
        (seen && !said).then_some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_stays_is_said_once() {
        let mut trouble = Trouble::default();
        let failure = |text: &str| TlsFailure(text.to_owned());
        assert_eq!(trouble.again(failure("one")), None);
        assert_eq!(trouble.again(failure("one")), Some(failure("one")));
        assert_eq!(trouble.again(failure("one")), None);
        assert_eq!(trouble.again(failure("other")), None);
        assert_eq!(trouble.again(failure("other")), Some(failure("other")));
    }
}
