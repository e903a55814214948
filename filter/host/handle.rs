//! What Envoy's callbacks are handed to.

use core::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::shared::Shared;
use super::stream::Stream;

/// A stream that its root can reach as well.
pub(super) struct Handle(Rc<RefCell<Stream>>);

impl Handle {
    pub(super) fn new(context: u32, shared: Option<Rc<Shared>>) -> Self {
        Self(Rc::new_cyclic(|itself| {
            RefCell::new(Stream::new(context, shared, itself.clone()))
        }))
    }

    /// Envoy calls back for one thing at a time; were it not so, nothing would go on.
    fn with(&self, act: impl FnOnce(&mut Stream) -> Action) -> Action {
        match self.0.try_borrow_mut() {
            Ok(mut stream) => act(&mut stream),
            Err(_) => Action::Pause,
        }
    }
}

impl Context for Handle {
    fn on_http_call_response(&mut self, token: u32, headers: usize, size: usize, _trailers: usize) {
        if let Ok(mut stream) = self.0.try_borrow_mut() {
            stream.call_answered(token, headers, size);
        }
    }
}

impl HttpContext for Handle {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        self.with(|stream| stream.request_headers(end))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.with(|stream| stream.request_body(size, end))
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.with(Stream::request_trailers)
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> Action {
        self.with(|stream| stream.response_headers(end))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.with(|stream| stream.response_body(size, end))
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.with(Stream::response_trailers)
    }

    fn on_log(&mut self) {
        if let Ok(mut stream) = self.0.try_borrow_mut() {
            stream.log();
        }
    }
}
