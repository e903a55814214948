//! What the host buffers of one direction, and when it may be released.
//!
//! Where trailers may follow a response's body, nothing can be written behind a piece that went on:
//! so a piece is held while something of it is undecided, and a tick lets it go. Envoy still takes
//! bytes in the trailers' callback after that, as long as the piece before was held.
//!
//! Behind a piece that a tick let go, Envoy puts the next one into the buffer of held pieces before
//! it asks. Only holding that one as well keeps it in its place: told to go on, Envoy sends what
//! comes later first, or nothing of it at all. So once a tick has let a piece go, all the others
//! wait for a tick too.

use core::time::Duration;

use super::effect::Flow;

/// How far one direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Passage {
    /// Everything that came went on.
    #[default]
    Open,
    /// The head waits, and nothing of the body has come. When to look whether it waits in vain, since
    /// 1970.
    HeadWaits(Option<Duration>),
    /// The head waits for a decision, with this much of the body.
    Waits { bytes: usize, ended: bool },
    /// The last piece is held until the next tick.
    Held,
    /// The last piece was held, and has been let go outside its direction's callbacks.
    Released,
    /// The trailers are held until the next tick, with the body's end before them.
    Ending,
    /// Closed: refused, cut, or ended. Envoy still accepts calls for such a stream until it is
    /// destroyed, and crashes if one of them resumes it.
    Over,
}

/// Between two looks at a head that waits.
pub(super) const WATCH_PERIOD: Duration = Duration::from_millis(10);

impl Passage {
    /// A head came, and led to this.
    pub(super) fn head(&mut self, end: bool, flow: Flow, watch: Option<Duration>) {
        *self = match flow {
            _ if *self == Self::Over => Self::Over,
            Flow::Continue => Self::Open,
            Flow::Hold if end => Self::Waits {
                bytes: 0,
                ended: true,
            },
            Flow::Hold => Self::HeadWaits(watch),
        };
    }

    /// Whether the head waits, and nothing of its body has come before.
    pub(super) fn is_bare_head(self) -> bool {
        matches!(self, Self::HeadWaits(_))
    }

    /// Whether it waits for a decision.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::HeadWaits(_) | Self::Waits { .. })
    }

    /// The body that waits is whole.
    pub(super) fn ends(&mut self) {
        *self = match *self {
            Self::HeadWaits(_) => Self::Waits {
                bytes: 0,
                ended: true,
            },
            Self::Waits { bytes, .. } => Self::Waits { bytes, ended: true },
            other => other,
        };
    }

    /// Whether its head is to be looked at by now.
    pub(super) fn is_watched(self, now: Duration) -> bool {
        matches!(self, Self::HeadWaits(Some(at)) if at <= now)
    }

    /// Looks at the head once more, or never again.
    pub(super) fn watch_again(&mut self, next: Option<Duration>) {
        if let Self::HeadWaits(watch) = self {
            *watch = next;
        }
    }

    /// Whether the whole of it is held.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Waits { ended: true, .. })
    }

    /// So much of a request's body is held. What has been decided may go on, at once or with a tick.
    pub(super) fn request_piece(&mut self, bytes: usize, ended: bool, decided: bool) -> Flow {
        match *self {
            Self::Open if decided => return Flow::Continue,
            Self::Released if decided => *self = Self::Held,
            Self::Held | Self::Ending | Self::Over => {}
            _ => *self = Self::Waits { bytes, ended },
        }
        Flow::Hold
    }

    /// A piece of a request came, and is looked at before it goes on.
    pub(super) fn message_piece(&mut self, bytes: usize, ended: bool) {
        if *self != Self::Over {
            *self = Self::Waits { bytes, ended };
        }
    }

    /// What has been looked at goes on, in its own callback.
    pub(super) fn messages_go(&mut self) {
        if *self != Self::Over {
            *self = Self::Open;
        }
    }

    /// A piece of a response's body led to this; `waits` if the whole response does.
    pub(super) fn response_piece(&mut self, flow: Flow, waits: bool) -> Flow {
        *self = match (*self, flow) {
            (Self::Over, _) => Self::Over,
            _ if waits => Self::Waits {
                bytes: 0,
                ended: false,
            },
            (Self::Released, _) | (_, Flow::Hold) => Self::Held,
            (_, Flow::Continue) => Self::Open,
        };
        match self {
            Self::Open => Flow::Continue,
            _ => Flow::Hold,
        }
    }

    /// The last piece of a response waits for its record. What comes behind it, if only the end,
    /// waits too.
    pub(super) fn waits_for_record(&mut self) {
        if *self != Self::Over {
            *self = Self::Waits {
                bytes: 1,
                ended: false,
            };
        }
    }

    /// Trailers led to this; `written` if the body has an end before them.
    pub(super) fn trailers(&mut self, flow: Flow, written: bool) -> Flow {
        *self = match (*self, flow) {
            (Self::Over, _) => return Flow::Hold,
            (Self::Released, Flow::Continue) if written => Self::Ending,
            (_, Flow::Continue) => Self::Open,
            (_, Flow::Hold) => Self::Waits {
                bytes: 0,
                ended: true,
            },
        };
        match self {
            Self::Open => Flow::Continue,
            _ => Flow::Hold,
        }
    }

    /// What waited for a decision goes on, outside its direction's callbacks.
    pub(super) fn decided(&mut self) {
        *self = match *self {
            Self::Over => Self::Over,
            Self::Waits {
                bytes: 1..,
                ended: false,
            } => Self::Released,
            _ => Self::Open,
        };
    }

    /// A tick has come: whether it lets something go.
    pub(super) fn tick(&mut self) -> bool {
        match self {
            Self::Held => *self = Self::Released,
            Self::Ending => *self = Self::Open,
            _ => return false,
        }
        true
    }

    /// When the next tick is wanted.
    pub(super) fn due(self) -> Option<Duration> {
        match self {
            Self::Held | Self::Ending => Some(Duration::ZERO),
            Self::HeadWaits(watch) => watch,
            _ => None,
        }
    }
}
