//! Why a request or an answer ended at the filter: one list of all words for it.

use core::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$about:meta])* $code:ident = $name:literal,)+) => {
        /// Why a request or an answer ended at the filter, in one word: for callers, records and
        /// metrics. Callers are told no more than this and a sentence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$about])* $code,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }
        }
    };
}

codes! {
    // The token.
    /// The request has no access token.
    TokenMissing = "token_missing",
    /// The request has more than one access token.
    SeveralTokens = "several_tokens",
    /// The access token is not a signed JSON Web Token.
    TokenMalformed = "token_malformed",
    /// The access token's header would change how it is read.
    TokenHeaderNotSupported = "token_header_not_supported",
    /// No provider of the policy has the access token's issuer.
    UnknownIssuer = "unknown_issuer",
    /// The access token's algorithm is not accepted.
    AlgorithmNotAllowed = "algorithm_not_allowed",
    /// No key of the provider fits the access token.
    UnknownKey = "unknown_key",
    /// The access token's signature does not verify.
    SignatureInvalid = "signature_invalid",
    /// The access token has expired.
    TokenExpired = "token_expired",
    /// The access token is not valid yet.
    TokenNotYetValid = "token_not_yet_valid",
    /// The access token is valid for longer than is accepted.
    TokenLifetimeTooLong = "token_lifetime_too_long",
    /// The access token is for another audience.
    AudienceMismatch = "audience_mismatch",
    /// The access token is of a type that is not accepted.
    TokenTypeNotAccepted = "token_type_not_accepted",
    /// The access token's client is not accepted.
    ClientNotAccepted = "client_not_accepted",
    /// The access token names no subject.
    SubjectMissing = "subject_missing",
    /// The access token doesn't hold its subject's groups.
    GroupsOverage = "groups_overage",
    /// The provider's keys can't be had now.
    KeysUnavailable = "keys_unavailable",
    /// What the model server is to be told of the caller fits into no header.
    IdentityNotAHeader = "identity_not_a_header",
    // The request.
    /// The path can be read in two ways.
    PathNotNormal = "path_not_normal",
    /// Where the request goes depends on what the filter changes in it.
    RouteNotCertain = "route_not_certain",
    /// The method can be read in two ways, or must not reach a server.
    MethodNotAccepted = "method_not_accepted",
    /// The body is not what its route takes.
    BodyMalformed = "body_malformed",
    /// No decision can be taken from such a body.
    BodyNotReadable = "body_not_readable",
    /// The body is larger than the policy's limit.
    RequestTooLarge = "request_too_large",
    /// The body's content-type is not what its route is for.
    MediaTypeNotSupported = "media_type_not_supported",
    /// The request's body is encoded in a way that can't be undone.
    EncodingNotSupported = "encoding_not_supported",
    /// Envoy hands over no bodies while their heads wait.
    StopIterationOff = "stop_iteration_off",
    /// Events came in an order that no host should produce.
    OutOfOrder = "out_of_order",
    /// There is no policy.
    NotConfigured = "not_configured",
    /// The host refused a call that the filter can't do without.
    HostFailed = "host_failed",
    // The decision.
    /// The policy doesn't allow the request.
    Denied = "denied",
    /// The caller, or the token, is blocked.
    Blocked = "blocked",
    /// It can't be told who is blocked.
    BlocksUnknown = "blocks_unknown",
    /// A quota's window is used up.
    QuotaExceeded = "quota_exceeded",
    /// The request asks for more than a quota ever has.
    QuotaTooSmall = "quota_too_small",
    /// What a quota counts can't be told of the request.
    CountUnknown = "count_unknown",
    /// Quotas can't be counted now.
    QuotaUnavailable = "quota_unavailable",
    /// A reviewer denied it.
    ApprovalDenied = "approval_denied",
    /// Nobody has decided yet.
    ApprovalPending = "approval_pending",
    /// The approval was used or has expired.
    ApprovalGone = "approval_gone",
    /// The answer that was approved is not as it was kept.
    KeptAnswerChanged = "kept_answer_changed",
    /// Nobody can be asked now: the approval service gives no answer.
    ApprovalUnavailable = "approval_unavailable",
    /// The approval service refuses the filter's key.
    ApprovalKeyRefused = "approval_key_refused",
    /// The approval service takes no more questions.
    ApprovalTooMany = "approval_too_many",
    /// The approval service doesn't take the question.
    ApprovalQuestionRefused = "approval_question_refused",
    /// The approval service fails.
    ApprovalServiceFailed = "approval_service_failed",
    /// What the approval service answers is no answer.
    ApprovalNotUnderstood = "approval_not_understood",
    /// Too many wait for a person.
    TooManyWaiting = "too_many_waiting",
    /// It holds something that the policy doesn't let through.
    MatchWithheld = "match_withheld",
    /// There is no room for what would have to be held.
    BuffersFull = "buffers_full",
    /// The request opens a session, nothing of which could be masked.
    RealtimeNotMaskable = "realtime_not_maskable",
    /// The request opens a session, which has no answer that could wait for its record.
    SessionNotCommittable = "session_not_committable",
    // The answer.
    /// The answer becomes another protocol.
    UpgradeNotMaskable = "upgrade_not_maskable",
    /// The answer is a part of a body.
    RangeNotMaskable = "range_not_maskable",
    /// The answer's status can't be read.
    StatusNotReadable = "status_not_readable",
    /// The answer's content-type is none that can be masked.
    MediaTypeNotMaskable = "media_type_not_maskable",
    /// The answer's content coding is none that can be undone.
    EncodingNotMaskable = "encoding_not_maskable",
    /// The answer's messages are not protobuf's.
    GrpcNotMaskable = "grpc_not_maskable",
    /// The answer is not what its content coding says.
    EncodingMalformed = "encoding_malformed",
    /// The answer ends before its content coding does.
    EncodingTruncated = "encoding_truncated",
    /// The answer decodes to too much.
    EncodingTooLarge = "encoding_too_large",
    /// The answer is too large to wait for a person.
    AnswerTooLarge = "answer_too_large",
    /// The answer has data after its end.
    BodyTooLong = "body_too_long",
    /// An event, a line or a message of the answer is too large.
    PieceTooLarge = "piece_too_large",
    /// Too many texts of the answer are open at once.
    TooManyTexts = "too_many_texts",
    /// A message of the answer is compressed in a way that can't be undone.
    MessageCompressed = "message_compressed",
    /// A message of the answer can't be read.
    MessageMalformed = "message_malformed",
    /// The answer ends in the middle of a message.
    MessageTruncated = "message_truncated",
    /// A part of the answer has a content-type that can't be masked.
    PartNotMaskable = "part_not_maskable",
    /// The record of the answer could not be kept.
    RecordNotKept = "record_not_kept",
    /// The rule's mask doesn't exist.
    MaskUnavailable = "mask_unavailable",
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
