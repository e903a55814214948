//! The service credential of a request, where it belongs to the cluster that the request goes to.
//!
//! Envoy chooses the route again after every edit of a head. So the cluster is asked for behind the
//! last edit, the credential for that cluster is put in, and as that is an edit too, the cluster is
//! asked for once more: if it is another one by now, nothing goes.

use super::effect::{Effect, Flow, Outcome};
use super::event::Direction;
use crate::upstream::Upstream;

/// How far that is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Routing {
    /// The head has not been edited, or no credential depends on the cluster.
    #[default]
    Free,
    /// The cluster has been asked for; `goes` if the request goes on once that is told.
    Asked { goes: bool },
    /// The cluster is asked for again.
    Credited { cluster: Option<String>, goes: bool },
    /// It goes there.
    Settled { cluster: Option<String> },
}

/// What is known once the cluster has been told.
pub(super) enum Routed {
    /// These effects follow.
    Effects(Vec<Effect>),
    /// It goes to another cluster than the credential is for.
    Changed,
}

impl Routing {
    /// Behind the edits of a head, and behind later ones: what goes on waits until it is known where.
    pub(super) fn edited(&mut self, outcome: &mut Outcome, own: bool) {
        let edits = outcome.effects.iter().any(|effect| {
            matches!(
                effect,
                Effect::SetRequestHeader { .. } | Effect::RemoveRequestHeader(_)
            )
        });
        let resume = Effect::Resume(Direction::Request);
        let goes = match own {
            true => outcome.flow == Flow::Continue,
            false => outcome.effects.contains(&resume),
        };
        *self = match core::mem::take(self) {
            Self::Free => Self::Asked { goes },
            Self::Settled { cluster } if edits && goes => Self::Credited { cluster, goes },
            other => {
                *self = other;
                return;
            }
        };
        outcome.effects.retain(|effect| *effect != resume);
        outcome.flow = Flow::Hold;
        outcome.effects.push(Effect::ReadCluster);
    }

    /// The host has told the cluster.
    pub(super) fn told(
        &mut self,
        told: Option<&str>,
        upstream: &Upstream,
        operation: &str,
    ) -> Routed {
        let told = told.map(str::to_owned);
        let go = |goes: bool| match goes {
            true => vec![Effect::Resume(Direction::Request)],
            false => Vec::new(),
        };
        match core::mem::take(self) {
            Self::Asked { goes } => {
                let Some(credential) = upstream.credential(told.as_deref(), operation) else {
                    *self = Self::Settled { cluster: told };
                    return Routed::Effects(go(goes));
                };
                *self = Self::Credited {
                    cluster: told,
                    goes,
                };
                Routed::Effects(vec![
                    Effect::SetRequestHeader {
                        name: credential.header.clone(),
                        value: credential.value.clone(),
                    },
                    Effect::ReadCluster,
                ])
            }
            Self::Credited { cluster, goes } if cluster == told => {
                *self = Self::Settled { cluster };
                Routed::Effects(go(goes))
            }
            Self::Credited { .. } => Routed::Changed,
            // Nobody asked.
            other => {
                *self = other;
                Routed::Effects(Vec::new())
            }
        }
    }
}
