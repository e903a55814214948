//! One configuration of the filter in one VM.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::calls::{self, Buffer, Direction, Level};
use super::environment;
use super::random;
use super::store::SharedData;
use super::stream::{Delivery, Stream};
use crate::exchange::Guard;

/// What a configuration's streams share.
pub(super) struct Shared {
    pub(super) guard: Rc<Guard>,
    /// This VM's name in records.
    pub(super) worker: String,
    records: Cell<u64>,
    /// Held pieces of responses that the next tick lets go.
    due: RefCell<Vec<(u32, Rc<Cell<Delivery>>)>>,
}

/// How long a piece that is held for its trailers waits: the host's clock has millisecond steps.
const TICK: u32 = 1;

impl Shared {
    pub(super) fn next_record(&self) -> u64 {
        let number = self.records.get().saturating_add(1);
        self.records.set(number);
        number
    }

    /// Lets a response that is held now go on at the next tick.
    pub(super) fn release_soon(&self, context: u32, delivery: Rc<Cell<Delivery>>) {
        let mut due = self.due.borrow_mut();
        if due.is_empty() {
            let _ = calls::tick_every(TICK);
        }
        due.push((context, delivery));
    }

    fn release(&self) {
        let due = core::mem::take(&mut *self.due.borrow_mut());
        for (context, delivery) in due {
            let held = matches!(delivery.get(), Delivery::Held | Delivery::Ending);
            // A stream that is gone has nothing to let go.
            if held && calls::act_for(context).is_ok() && calls::resume(Direction::Response).is_ok()
            {
                delivery.set(Delivery::Released);
            }
        }
        if self.due.borrow().is_empty() {
            let _ = calls::tick_every(0);
        }
    }
}

pub(super) struct Root {
    shared: Option<Rc<Shared>>,
}

impl Root {
    pub(super) fn new() -> Self {
        Self { shared: None }
    }

    fn configure(size: usize) -> Result<Shared, Vec<String>> {
        let bytes = calls::buffer(Buffer::PluginConfiguration, 0, size)
            .map_err(|status| vec![format!("the policy can't be read: {status:?}")])?;
        let text = core::str::from_utf8(&bytes)
            .ok()
            .filter(|text| text.trim_start().starts_with('{'))
            .ok_or_else(|| {
                vec![
                    "/: found a configuration that is not JSON text, expected a \
                     google.protobuf.StringValue that holds the policy as JSON (a \
                     google.protobuf.Struct arrives as protobuf and is not taken)"
                        .to_owned(),
                ]
            })?;
        let guard = Guard::load(text, &environment::variable)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        if !guard.policy().quotas.is_empty() {
            SharedData::prepare().map_err(|status| {
                vec![format!("/quotas: no shared data for counts: {status:?}")]
            })?;
        }
        Ok(Shared {
            guard: Rc::new(guard),
            worker: random::hex::<8>(),
            records: Cell::new(0),
            due: RefCell::new(Vec::new()),
        })
    }
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        match Self::configure(size) {
            Ok(shared) => {
                self.shared = Some(Rc::new(shared));
                true
            }
            Err(problems) => {
                for problem in problems {
                    calls::log(Level::Error, &format!("portcullis: policy: {problem}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(shared) = &self.shared {
            shared.release();
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context, self.shared.clone())))
    }
}
