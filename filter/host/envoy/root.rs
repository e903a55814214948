//! One configuration of the filter in one VM.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::handle::Handle;
use super::native::HostNative;
use super::{EnvoyHost, environment};
use crate::exchange::CompiledPolicy;
use crate::host::api::{Buffer, CallEnd, Host, Level};
use crate::host::random;
use crate::host::store::SharedData;
use crate::host::vm::Vm;

pub(super) struct Root {
    /// The host's number for it.
    context: u32,
    vm: Option<Rc<Vm<EnvoyHost>>>,
}

impl Root {
    pub(super) fn new(context: u32) -> Self {
        Self { context, vm: None }
    }

    fn configure(&self, size: usize) -> Result<Vm<EnvoyHost>, Vec<String>> {
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
        Ok(Vm::new(EnvoyHost, self.context, compiled, Box::new(native)))
    }
}

impl Context for Root {
    fn on_done(&mut self) -> bool {
        self.vm.as_ref().is_none_or(|vm| vm.end())
    }

    fn on_http_call_response(&mut self, token: u32, headers: usize, bytes: usize, trailers: usize) {
        if let Some(vm) = &self.vm {
            vm.answered(CallEnd {
                token,
                headers,
                bytes,
                trailers,
            });
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        match self.configure(size) {
            Ok(vm) => {
                self.vm = Some(Rc::new(vm));
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
        if let Some(vm) = &self.vm {
            vm.tick();
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Handle::new(context, self.vm.clone())))
    }
}
