//! What Envoy's callbacks are handed to.

use core::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types;

use super::EnvoyHost;
use crate::host::api::{Action, CallEnd};
use crate::host::stream::Stream;
use crate::host::vm::Vm;

type EnvoyStream = Stream<EnvoyHost>;

/// A stream that its root can reach as well.
pub(super) struct Handle(Rc<RefCell<EnvoyStream>>);

impl Handle {
    pub(super) fn new(context: u32, vm: Option<Rc<Vm<EnvoyHost>>>) -> Self {
        Self(Rc::new_cyclic(|itself| {
            RefCell::new(Stream::new(EnvoyHost, context, vm, itself.clone()))
        }))
    }

    /// Envoy calls back for one thing at a time; were it not so, nothing would go on.
    fn with(&self, act: impl FnOnce(&mut EnvoyStream) -> Action) -> types::Action {
        match self.0.try_borrow_mut() {
            Ok(mut stream) => match act(&mut stream) {
                Action::Continue => types::Action::Continue,
                Action::Pause => types::Action::Pause,
            },
            Err(_) => types::Action::Pause,
        }
    }
}

impl Context for Handle {
    fn on_http_call_response(&mut self, token: u32, headers: usize, bytes: usize, trailers: usize) {
        if let Ok(mut stream) = self.0.try_borrow_mut() {
            stream.call_answered(CallEnd {
                token,
                headers,
                bytes,
                trailers,
            });
        }
    }
}

impl HttpContext for Handle {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> types::Action {
        self.with(|stream| stream.request_headers(end))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> types::Action {
        self.with(|stream| stream.request_body(size, end))
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> types::Action {
        self.with(Stream::request_trailers)
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> types::Action {
        self.with(|stream| stream.response_headers(end))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> types::Action {
        self.with(|stream| stream.response_body(size, end))
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> types::Action {
        self.with(Stream::response_trailers)
    }

    fn on_log(&mut self) {
        if let Ok(mut stream) = self.0.try_borrow_mut() {
            stream.log();
        }
    }
}
