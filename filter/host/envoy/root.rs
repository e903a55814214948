//! One configuration of the filter in one VM.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::handle::Handle;
use super::native::HostNative;
use super::{EnvoyHost, environment};
use crate::exchange::CompiledPolicy;
use crate::host::api::{Buffer, Host, Level};
use crate::host::random;
use crate::host::shared::Shared;
use crate::host::store::SharedData;

pub(super) struct Root {
    shared: Option<Rc<Shared<EnvoyHost>>>,
}

impl Root {
    pub(super) fn new() -> Self {
        Self { shared: None }
    }

    fn configure(size: usize) -> Result<Shared<EnvoyHost>, Vec<String>> {
        let bytes = EnvoyHost
            .buffer(Buffer::PluginConfiguration, 0, size)
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
        let compiled =
            CompiledPolicy::seeded(text, &environment::variable, random::bytes(&EnvoyHost))
                .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let native = HostNative::find(compiled.policy().identity.verify_with)
            .map_err(|error| vec![error])?;
        // The last that can fail: what a policy that is refused has shared would bind the next.
        compiled
            .join(&SharedData(&EnvoyHost), &|| random::bytes(&EnvoyHost))
            .map_err(|problem| vec![problem.to_string()])?;
        Ok(Shared::new(EnvoyHost, compiled, Box::new(native)))
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, size: usize, _trailers: usize) {
        if let Some(shared) = &self.shared {
            shared.answered(token, headers, size);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        match Self::configure(size) {
            Ok(shared) => {
                self.shared = Some(Rc::new(shared));
                true
            }
            Err(problems) => {
                for problem in problems {
                    EnvoyHost.log(Level::Error, &format!("portcullis: policy: {problem}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(shared) = &self.shared {
            shared.tick();
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Handle::new(context, self.shared.clone())))
    }
}
