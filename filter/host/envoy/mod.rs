//! Envoy as the host: its calls, and the callbacks that the SDK receives.
//!
//! The SDK's convenience methods panic on any status that they don't expect, and a panic takes
//! down every request of the worker. So the SDK is used to receive callbacks, and to send calls
//! whose tokens it must know; everything else goes through [`calls`].

mod calls;
mod entropy;
mod environment;
mod handle;
mod native;
mod probe;
mod root;
#[cfg(feature = "module")]
mod version;

use core::time::Duration;

use proxy_wasm::hostcalls::dispatch_http_call;
use proxy_wasm::types::LogLevel;

pub use native::HostNative;

use super::api::{Buffer, Host, HttpCall, Level, LocalReply, Map, Pairs, Status};
use crate::exchange::Direction;

/// Makes a VM a filter. A module's entry point calls it, once for each VM.
pub fn start() {
    // Also installs a hook that logs a panic's message before the VM ends.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|context| Box::new(root::Root::new(context)));
}

#[cfg(feature = "module")]
mod entry {
    proxy_wasm::main! {{ super::start(); }}
}

/// The Envoy that this VM runs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct EnvoyHost;

const PAGE_BYTES: u64 = 65_536;

impl Host for EnvoyHost {
    fn log(&self, level: Level, message: &str) {
        calls::log(level, message);
    }

    fn now(&self) -> Result<Duration, Status> {
        calls::now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Status> {
        calls::random(bytes)
    }

    fn memory(&self) -> u64 {
        let pages = core::arch::wasm32::memory_size::<0>();
        u64::try_from(pages).map_or(u64::MAX, |pages| pages.saturating_mul(PAGE_BYTES))
    }

    fn headers(&self, map: Map) -> Result<Pairs, Status> {
        calls::headers(map)
    }

    fn header(&self, map: Map, name: &str) -> Result<Vec<u8>, Status> {
        calls::header(map, name)
    }

    fn set_header(&self, map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
        calls::set_header(map, name, value)
    }

    fn remove_header(&self, map: Map, name: &str) -> Result<(), Status> {
        calls::remove_header(map, name)
    }

    fn buffer(&self, kind: Buffer, start: usize, length: usize) -> Result<Vec<u8>, Status> {
        calls::buffer(kind, start, length)
    }

    fn replace_buffer(&self, kind: Buffer, length: usize, bytes: &[u8]) -> Result<(), Status> {
        calls::replace_buffer(kind, length, bytes)
    }

    fn reply(&self, reply: &LocalReply<'_>) -> Result<(), Status> {
        calls::reply(reply)
    }

    fn resume(&self, direction: Direction) -> Result<(), Status> {
        calls::resume(direction)
    }

    fn act_for(&self, context: u32) -> Result<(), Status> {
        calls::act_for(context)
    }

    fn tick_every(&self, milliseconds: u32) -> Result<(), Status> {
        calls::tick_every(milliseconds)
    }

    fn done(&self) -> Result<(), Status> {
        calls::done()
    }

    fn call(&self, call: HttpCall<'_>) -> Result<u32, Status> {
        let HttpCall {
            cluster,
            headers,
            body,
            timeout,
        } = call;
        dispatch_http_call(cluster, headers, body, Vec::new(), timeout)
            .map_err(|status| Status(status as u32))
    }

    fn property(&self, path: &[&str]) -> Result<Vec<u8>, Status> {
        calls::property(path)
    }

    fn set_state(&self, name: &str, value: &[u8]) -> Result<(), Status> {
        calls::set_state(name, value)
    }

    fn shared(&self, key: &str) -> Result<(Vec<u8>, u32), Status> {
        calls::shared(key)
    }

    fn set_shared(&self, key: &str, value: &[u8], change: u32) -> Result<(), Status> {
        calls::set_shared(key, value, change)
    }

    fn counter(&self, name: &str) -> Result<u32, Status> {
        calls::counter(name)
    }

    fn change(&self, metric: u32, by: i64) -> Result<(), Status> {
        calls::change(metric, by)
    }

    fn gauge(&self, name: &str) -> Result<u32, Status> {
        calls::gauge(name)
    }

    fn histogram(&self, name: &str) -> Result<u32, Status> {
        calls::histogram(name)
    }

    fn metric(&self, gauge: u32) -> Result<u64, Status> {
        calls::metric(gauge)
    }

    fn set_metric(&self, gauge: u32, value: u64) -> Result<(), Status> {
        calls::set_metric(gauge, value)
    }
}
