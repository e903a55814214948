//! The request of a stream, piece by piece.

use super::Stream;
use super::settle::Failure;
use crate::exchange::{Came, Direction, Event, Exchange};
use crate::host::api::{Action, Host, Map};
use crate::host::place::text;

impl<H: Host> Stream<H> {
    pub(in crate::host) fn request_headers(&mut self, end: bool) -> Action {
        self.open_record();
        let pairs = match self.host.headers(Map::Request) {
            Ok(pairs) => pairs,
            Err(status) => return self.fail(Failure::Host(status)),
        };
        let Some(headers) = pairs.get() else {
            return self.fail(Failure::Short);
        };
        let cluster = self.cluster();
        self.tell_how_it_came();
        let event = Event::RequestHead {
            headers: &headers,
            end,
            cluster: cluster.as_deref(),
        };
        self.act(Direction::Request, event)
    }

    /// The cluster that the request is routed to, if the policy depends on it. Until the request has
    /// left the filter, it is the one that Envoy chose for the head as it came.
    pub(super) fn cluster(&self) -> Option<String> {
        let vm = self.vm.as_ref()?;
        if !vm.compiled.policy().upstream.asks_for_cluster() {
            return None;
        }
        String::from_utf8(self.host.property(&["xds", "cluster_name"]).ok()?).ok()
    }

    /// Tells the exchange how the request came, if approvals are bound to that or quotas count by it.
    fn tell_how_it_came(&mut self) {
        let compiled = self.vm.as_ref().map(|vm| &vm.compiled);
        let wanted = compiled.is_some_and(|compiled| {
            compiled.policy().approvals.is_some() || compiled.counts_addresses()
        });
        if let (true, Some(exchange)) = (wanted, &mut self.exchange) {
            let text = |path: &[&str]| text(&self.host, path).filter(|text| !text.is_empty());
            exchange.came(Came {
                route: text(&["xds", "route_name"]),
                cluster: text(&["xds", "cluster_name"]),
                client: text(&["source", "address"]),
            });
        }
    }

    pub(in crate::host) fn request_body(&mut self, size: usize, end: bool) -> Action {
        self.request_held = size;
        self.piece(Event::RequestPiece { held: size, end })
    }

    pub(in crate::host) fn request_trailers(&mut self) -> Action {
        let pairs = match self.host.headers(Map::RequestTrailers) {
            Ok(pairs) => pairs,
            Err(status) => return self.fail(Failure::Host(status)),
        };
        let Some(trailers) = pairs.get() else {
            return self.fail(Failure::Short);
        };
        self.act(
            Direction::Request,
            Event::RequestTrailers {
                trailers: &trailers,
            },
        )
    }

    fn piece(&mut self, event: Event<'_>) -> Action {
        if self.exchange.is_some() && !self.wants(Exchange::wants_request_pieces) {
            return Action::Continue;
        }
        self.act(Direction::Request, event)
    }
}
