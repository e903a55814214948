//! Why a service could not be asked.

use base::code::Code;

/// Why a service could not be asked: what the caller is told, what is logged, and what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// No answer came in time, or none at all.
    NoAnswer,
    /// The service doesn't know the filter's key, or lets it ask nothing.
    KeyRefused,
    /// The service takes no more questions.
    TooMany,
    /// The service doesn't take the question.
    Refused,
    /// The service fails.
    Failing,
    /// What came is no answer, or one for something else.
    NotUnderstood,
}

impl Trouble {
    /// What a status says; `None` for one whose body says more. Envoy answers itself, and not in JSON,
    /// where no connection to the service can be had.
    #[must_use]
    pub fn of(status: u16, is_json: bool) -> Option<Self> {
        match status {
            200 => None,
            401 | 403 => Some(Self::KeyRefused),
            429 => Some(Self::TooMany),
            400 | 413 | 422 => Some(Self::Refused),
            502..=504 if !is_json => Some(Self::NoAnswer),
            500..=599 => Some(Self::Failing),
            _ => Some(Self::NotUnderstood),
        }
    }

    /// Whether the service may have done what it was asked to, all the same.
    #[must_use]
    pub fn is_uncertain(self) -> bool {
        matches!(self, Self::NoAnswer | Self::Failing | Self::NotUnderstood)
    }

    /// Its word.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::NoAnswer => Code::ApprovalUnavailable,
            Self::KeyRefused => Code::ApprovalKeyRefused,
            Self::TooMany => Code::ApprovalTooMany,
            Self::Refused => Code::ApprovalQuestionRefused,
            Self::Failing => Code::ApprovalServiceFailed,
            Self::NotUnderstood => Code::ApprovalNotUnderstood,
        }
    }

    /// What the log says.
    #[must_use]
    pub fn line(self) -> &'static str {
        match self {
            Self::NoAnswer => "gives no answer: look whether it runs, and Envoy reaches it",
            Self::KeyRefused => {
                "refuses the filter's key (401 or 403): look at \"credential\" under /approvals"
            }
            Self::TooMany => "takes no more questions (429): too many wait for a decision",
            Self::Refused => "doesn't take a question (400, 413 or 422): look at its own log",
            Self::Failing => "fails (a status of 500 or more): look at its own log",
            Self::NotUnderstood => {
                "answers what is no answer to what it was asked: look whether it is an approval service, and of which version"
            }
        }
    }
}
