//! What of a stream the host has to hand over.

use super::Exchange;
use super::commit::Commit;
use super::passage::Passage;

impl Exchange {
    /// Whether pieces and trailers of the request have to be told; otherwise they go on.
    #[must_use]
    pub fn wants_request_pieces(&self) -> bool {
        !self.has_passed_request() || self.inbound != Passage::Open
    }

    /// Whether all headers of the response are looked at.
    #[must_use]
    pub fn wants_response_head(&self) -> bool {
        self.response.wants_head() || self.context.committed || self.context.claims.are_open()
    }

    /// Whether the response's trailers have to come through [`super::Event::ResponseTrailers`].
    #[must_use]
    pub fn wants_response_trailers(&self) -> bool {
        self.response.wants_trailers() || self.commit != Commit::Off
    }

    /// Whether the response's body has to come through [`super::Event::ResponseBody`].
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        self.response.wants_body() || self.commit != Commit::Off
    }

    /// Whether it has to be told by [`super::Event::ResponseUnseen`] how long each piece of the
    /// response's body is that doesn't have to come.
    #[must_use]
    pub fn wants_response_sizes(&self) -> bool {
        self.context.charges.are_metered() && self.response.is_from_server()
    }
}
