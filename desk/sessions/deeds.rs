//! What people, filters and time did with approvals.

use serde::{Deserialize, Serialize};

/// The approval that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concerned {
    /// The approval's id.
    pub approval: String,
    /// The record id of the exchange: of the one that asked, or of the one that goes.
    #[serde(default)]
    pub exchange: Option<String>,
    /// The filter that asked; `None` for what was asked ahead of need.
    pub filter: Option<String>,
    /// The rule that asked.
    pub rule: String,
    /// The caller.
    pub subject: String,
    /// The issuer of the caller's token.
    pub issuer: String,
}

/// What was asked ahead of need is for, beyond one subject, model and length of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The group of the issuer's tokens whose members it is for, instead of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `any`, where it is for all models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<String>,
    /// When it holds, as `mon-fri 09:00-17:00 +01:00 until 2027-01-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
}

/// Somebody asked for an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The approval.
    #[serde(flatten)]
    pub concerned: Concerned,
    /// `request`, `answer`, or `access` for what was asked ahead of need.
    pub about: String,
    /// What it is bound to.
    pub digest: String,
    /// The digest of what the rule says.
    pub rule_digest: Option<String>,
    /// The policy's digest.
    pub policy: Option<String>,
    /// The operation.
    pub operation: String,
    /// The model.
    pub model: Option<String>,
    /// The groups that may decide.
    pub reviewers: Vec<String>,
    /// How many people must approve.
    pub approvals: u32,
    /// What was asked ahead of need.
    #[serde(flatten)]
    pub ahead: Ahead,
}

/// A reviewer decided on an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The approval.
    #[serde(flatten)]
    pub concerned: Concerned,
    /// The state behind it: `pending` while more people must approve, `approved`, `denied` or `revoked`.
    pub state: String,
    /// The reviewer's reason.
    pub reason: Option<String>,
    /// For whom the reviewer decided, if by a delegation.
    #[serde(default)]
    pub on_behalf_of: Option<String>,
    /// Whether the rules for reviewers were set aside.
    #[serde(default)]
    pub break_glass: bool,
    /// What it is bound to.
    pub digest: String,
    /// The policy's digest.
    pub policy: Option<String>,
    /// When it was asked for (RFC 3339).
    pub asked: String,
    /// What was asked ahead of need.
    #[serde(flatten)]
    pub ahead: Ahead,
}

/// A use was taken, or given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The approval, with the exchange that goes.
    #[serde(flatten)]
    pub concerned: Concerned,
    /// The claim's id.
    pub claim: String,
    /// What went; `None` where it comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why it comes back, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether it can be taken again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<bool>,
}

/// Something else happened to an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The approval.
    #[serde(flatten)]
    pub concerned: Concerned,
    /// Who waits no more, where somebody left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
    /// The state that ended, where the time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
}

/// A subject or a token is blocked, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The block's id.
    pub block: String,
    /// The issuer; `None` for any.
    pub issuer: Option<String>,
    /// The subject,
    pub subject: Option<String>,
    /// or the token's id.
    pub token_id: Option<String>,
    /// When it ends by itself (RFC 3339).
    pub until: Option<String>,
    /// Why it was made.
    pub reason: String,
}

/// A count of a quota is to be emptied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The reset's id.
    pub reset: String,
    /// The quota's name.
    pub quota: String,
    /// What is counted apart: for each dimension its name and its values.
    pub key: Vec<String>,
    /// Until when filters are told (RFC 3339).
    pub until: String,
    /// Why.
    pub reason: String,
}

/// A reviewer lets another one decide, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// The delegation's id.
    pub delegation: String,
    /// Whose groups they are.
    pub from: String,
    /// Who decides instead.
    pub to: String,
    /// In which groups.
    pub groups: Vec<String>,
    /// When it ends (RFC 3339).
    pub until: String,
}
