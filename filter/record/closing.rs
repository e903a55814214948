//! How an exchange ended, and where in the mesh it was.

use serde::Serialize;

/// What the host tells of an exchange once it is over. What it doesn't know is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Closing<'a> {
    /// Whether the end of a response came by, be it the model server's or one of Envoy's own.
    pub answered: bool,
    /// Envoy's response flags (its attribute `response.flags`), one bit each.
    pub flags: Option<u64>,
    /// Why Envoy ended the exchange as it did (`response.code_details`).
    pub details: Option<&'a str>,
    /// Envoy's version.
    pub envoy: Option<&'a str>,
    /// The id of Envoy's node.
    pub node: Option<&'a str>,
    /// The address and port of the listener.
    pub listener: Option<&'a str>,
    /// `inbound` or `outbound`.
    pub direction: Option<&'static str>,
    /// The address and port that the request came from.
    pub peer: Option<&'a str>,
    /// The route's name.
    pub route: Option<&'a str>,
    /// The cluster that the request went to.
    pub cluster: Option<&'a str>,
    /// The address and port of the model server.
    pub endpoint: Option<&'a str>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The response went to its end.
    Complete,
    /// The filter answered itself: nothing of a model server's response went on.
    Refused,
    /// The filter ended a response whose head had gone.
    Cut,
    /// One of Envoy's time limits was reached.
    TimedOut,
    /// The client left first.
    ClientLeft,
    /// The model server could not be reached, or broke the response off.
    UpstreamReset,
    /// It can't be told.
    #[default]
    Unknown,
}

/// What the filter itself did to an exchange's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// It answered in place of a model server.
    Refused,
    /// It broke a response off.
    Cut,
}

// Envoy's flags, by their places in `CoreResponseFlag` (envoy/stream_info/stream_info.h).
const TIMES: u64 = bits(&[2, 16, 19, 22]);
const CLIENT: u64 = bits(&[14, 18, 28]);
const UPSTREAM: u64 = bits(&[1, 3, 4, 5, 6, 7, 15, 23]);

const fn bits(mut places: &[u32]) -> u64 {
    let mut all = 0;
    while let [first, rest @ ..] = places {
        all |= 1 << *first;
        places = rest;
    }
    all
}

impl Closing<'_> {
    /// How it ended. What the filter did comes first: Envoy takes a response that was broken off for
    /// a reset like any other.
    #[must_use]
    pub fn how(&self, own: Option<Own>) -> How {
        let has = |flags: u64| self.flags.is_some_and(|set| set & flags != 0);
        match own {
            Some(Own::Cut) => How::Cut,
            Some(Own::Refused) => How::Refused,
            None if has(TIMES) => How::TimedOut,
            None if has(CLIENT) => How::ClientLeft,
            None if has(UPSTREAM) => How::UpstreamReset,
            None if self.answered => How::Complete,
            None => How::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_by_envoys_flags_and_by_what_came() {
        let closing = |flags, answered| Closing {
            flags,
            answered,
            ..Closing::default()
        };
        for (flags, answered, how) in [
            (Some(0), true, How::Complete),
            // UT, SI, UMSDR and DT.
            (Some(0x4), true, How::TimedOut),
            (Some(0x1_0000), false, How::TimedOut),
            (Some(0x8_0000), false, How::TimedOut),
            (Some(0x40_0000), false, How::TimedOut),
            // DC, DPE and DR.
            (Some(0x4000), false, How::ClientLeft),
            (Some(0x4_0000), false, How::ClientLeft),
            (Some(0x1000_0000), false, How::ClientLeft),
            // A client that leaves resets the model server too.
            (Some(0x4000 | 0x8), false, How::ClientLeft),
            // UH, LR, UR, UF, UC, UO, URX and UPE.
            (Some(0x2), true, How::UpstreamReset),
            (Some(0x8), false, How::UpstreamReset),
            (Some(0x10), false, How::UpstreamReset),
            (Some(0x20), true, How::UpstreamReset),
            (Some(0x40), false, How::UpstreamReset),
            (Some(0x80), true, How::UpstreamReset),
            (Some(0x8000), true, How::UpstreamReset),
            (Some(0x80_0000), true, How::UpstreamReset),
            (Some(0), false, How::Unknown),
            (None, true, How::Complete),
            (None, false, How::Unknown),
        ] {
            let told = closing(flags, answered).how(None);
            assert_eq!(told, how, "{flags:?}, answered {answered}");
        }
        assert_eq!(closing(Some(0x8), false).how(Some(Own::Cut)), How::Cut);
        assert_eq!(closing(Some(0), true).how(Some(Own::Refused)), How::Refused);
    }
}
