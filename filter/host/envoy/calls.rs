//! Host calls that return a `Result` whatever the host says (proxy-wasm ABI 0.2.1).

use core::ptr::null_mut;
use core::time::Duration;

use crate::exchange::Direction;
use crate::host::api::{Buffer, Level, LocalReply, Map, Pairs, Status};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, data: *const u8, size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        kind: u32,
        start: usize,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_buffer_bytes(
        kind: u32,
        start: usize,
        length: usize,
        data: *const u8,
        size: usize,
    ) -> u32;
    fn proxy_get_header_map_value(
        kind: u32,
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(kind: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        kind: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(kind: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(direction: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_done() -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        change: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        data: *const u8,
        size: usize,
        change: u32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_get_metric(id: u32, value: *mut u64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_increment_metric(id: u32, amount: i64) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u32;
    fn random_get(buffer: *mut u8, size: usize) -> u32;
}

fn check(status: u32) -> Result<(), Status> {
    if status == 0 {
        Ok(())
    } else {
        Err(Status(status))
    }
}

/// Takes over memory that the host filled.
///
/// # Safety
/// `data` is null, or came from this module's allocator (the SDK's `proxy_on_memory_allocate`,
/// which the host calls) with exactly `size` bytes, and belongs to nobody else.
unsafe fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: see above; the allocator makes a boxed slice, whose capacity is its length.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

pub(super) fn log(level: Level, message: &str) {
    // SAFETY: the pointer and length are those of a live slice.
    let _ = unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// The time since 1970.
pub(super) fn now() -> Result<Duration, Status> {
    let mut nanoseconds = 0;
    // SAFETY: `nanoseconds` outlives the call.
    check(unsafe { clock_time_get(0, 1, &raw mut nanoseconds) })?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Fills `bytes` with random ones.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), Status> {
    // SAFETY: the pointer and length are those of a live slice.
    check(unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) })
}

/// Up to `length` bytes from `start` on.
pub(super) fn buffer(kind: Buffer, start: usize, length: usize) -> Result<Vec<u8>, Status> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: both out-pointers outlive the call.
    check(unsafe {
        proxy_get_buffer_bytes(kind as u32, start, length, &raw mut data, &raw mut size)
    })?;
    // SAFETY: the host allocated `data` through this module.
    Ok(unsafe { take(data, size) })
}

/// Puts `bytes` in place of the first `length` bytes.
pub(super) fn replace_buffer(kind: Buffer, length: usize, bytes: &[u8]) -> Result<(), Status> {
    // SAFETY: the pointer and length are those of a live slice.
    check(unsafe { proxy_set_buffer_bytes(kind as u32, 0, length, bytes.as_ptr(), bytes.len()) })
}

/// All headers, names in lower case as Envoy keeps them.
pub(super) fn headers(map: Map) -> Result<Pairs, Status> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: both out-pointers outlive the call.
    check(unsafe { proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) })?;
    // SAFETY: the host allocated `data` through this module.
    Ok(Pairs(unsafe { take(data, size) }))
}

/// The first value of a header; costs less than all headers do.
pub(super) fn header(map: Map, name: &str) -> Result<Vec<u8>, Status> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the out-pointers outlive the call, and the slice is live.
    check(unsafe {
        proxy_get_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            &raw mut data,
            &raw mut size,
        )
    })?;
    // SAFETY: the host allocated `data` through this module.
    Ok(unsafe { take(data, size) })
}

fn write_pairs(pairs: &[(&str, &str)]) -> Vec<u8> {
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = number(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for (name, value) in pairs {
        for text in [name, value] {
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
    }
    bytes
}

pub(super) fn set_header(map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: the pointers and lengths are those of live slices.
    check(unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

pub(super) fn remove_header(map: Map, name: &str) -> Result<(), Status> {
    // SAFETY: the pointer and length are those of a live slice.
    check(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// Answers the client.
pub(super) fn reply(reply: &LocalReply<'_>) -> Result<(), Status> {
    /// Stands in Envoy's response code details.
    const DETAILS: &str = "portcullis";
    let headers = write_pairs(reply.headers);
    // SAFETY: the pointers and lengths are those of live slices.
    check(unsafe {
        proxy_send_local_response(
            u32::from(reply.status),
            DETAILS.as_ptr(),
            DETAILS.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            i32::from(reply.grpc_status),
        )
    })
}

/// Lets a held direction of the current stream go on, once the current callback has returned.
pub(super) fn resume(direction: Direction) -> Result<(), Status> {
    let stream = match direction {
        Direction::Request => 0,
        Direction::Response => 1,
    };
    // SAFETY: no memory is passed.
    check(unsafe { proxy_continue_stream(stream) })
}

/// Makes another stream the current one; fails where it is gone.
pub(super) fn act_for(context: u32) -> Result<(), Status> {
    // SAFETY: no memory is passed.
    check(unsafe { proxy_set_effective_context(context) })
}

/// Zero stops the ticks.
pub(super) fn tick_every(milliseconds: u32) -> Result<(), Status> {
    // SAFETY: no memory is passed.
    check(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Lets go of a configuration that is out of use.
pub(super) fn done() -> Result<(), Status> {
    // SAFETY: no memory is passed.
    check(unsafe { proxy_done() })
}

/// A shared value and the number of its last change.
pub(super) fn shared(key: &str) -> Result<(Vec<u8>, u32), Status> {
    let (mut data, mut size, mut change) = (null_mut(), 0, 0);
    // SAFETY: the out-pointers outlive the call, and the slice is live.
    check(unsafe {
        proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut data,
            &raw mut size,
            &raw mut change,
        )
    })?;
    // SAFETY: the host allocated `data` through this module.
    Ok((unsafe { take(data, size) }, change))
}

/// Sets a shared value if it has not changed since `change`; always, if that is zero.
pub(super) fn set_shared(key: &str, value: &[u8], change: u32) -> Result<(), Status> {
    // SAFETY: the pointers and lengths are those of live slices.
    check(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), change)
    })
}

/// Sets the filter state `wasm.{name}` of the current stream.
pub(super) fn set_state(name: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: the pointers and lengths are those of live slices.
    check(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Calls a function that the host has beyond the ABI.
pub(super) fn foreign(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the out-pointers outlive the call, and the slices are live.
    check(unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            &raw mut data,
            &raw mut size,
        )
    })?;
    // SAFETY: the host allocated `data` through this module.
    Ok(unsafe { take(data, size) })
}

/// A property of the current stream, by the parts of its path.
pub(super) fn property(path: &[&str]) -> Result<Vec<u8>, Status> {
    let path = path.join("\0");
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the out-pointers outlive the call, and the slice is live.
    check(unsafe { proxy_get_property(path.as_ptr(), path.len(), &raw mut data, &raw mut size) })?;
    // SAFETY: the host allocated `data` through this module.
    Ok(unsafe { take(data, size) })
}

/// A counter of the whole Envoy; the same name is the same counter.
pub(super) fn counter(name: &str) -> Result<u32, Status> {
    define(0, name)
}

/// Raises a counter, or changes a gauge in either direction.
pub(super) fn change(metric: u32, by: i64) -> Result<(), Status> {
    // SAFETY: no memory is passed.
    check(unsafe { proxy_increment_metric(metric, by) })
}

/// A gauge of the whole Envoy; the same name is the same gauge.
pub(super) fn gauge(name: &str) -> Result<u32, Status> {
    define(1, name)
}

/// A histogram of the whole Envoy; the same name is the same histogram.
pub(super) fn histogram(name: &str) -> Result<u32, Status> {
    define(2, name)
}

fn define(kind: u32, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: the out-pointer outlives the call, and the slice is live.
    check(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// What a gauge has.
pub(super) fn metric(gauge: u32) -> Result<u64, Status> {
    let mut value = 0;
    // SAFETY: the out-pointer outlives the call.
    check(unsafe { proxy_get_metric(gauge, &raw mut value) })?;
    Ok(value)
}

/// Sets a gauge.
pub(super) fn set_metric(gauge: u32, value: u64) -> Result<(), Status> {
    // SAFETY: no memory is passed.
    check(unsafe { proxy_record_metric(gauge, value) })
}
