//! Counters, and how much memory this VM has taken from its host.

use core::cell::Cell;
use std::collections::BTreeMap;

use super::api::{Host, Status};
use crate::metric::{Kind, Metric};

/// A gauge of the largest VM's memory in bytes. Memory of a VM never shrinks, so its largest is
/// its last.
pub(super) struct Memory {
    gauge: Option<u32>,
    bytes: Cell<u64>,
}

impl Memory {
    pub(super) fn watch(host: &impl Host) -> Self {
        let memory = Self {
            gauge: host.gauge("portcullis_memory_bytes").ok(),
            bytes: Cell::new(0),
        };
        memory.look(host);
        memory
    }

    /// No host call where nothing has changed.
    pub(super) fn look(&self, host: &impl Host) {
        let bytes = host.memory();
        if bytes == self.bytes.replace(bytes) {
            return;
        }
        if let Some(gauge) = self.gauge {
            // Nothing depends on it.
            let _ = raise(host, gauge, bytes);
        }
    }
}

/// Sets a gauge to a value if that is more than what it has.
fn raise(host: &impl Host, gauge: u32, value: u64) -> Result<(), Status> {
    /// Another worker may write less in between, but not for ever.
    const TRIES: usize = 8;
    for _ in 0..TRIES {
        if value <= host.metric(gauge)? {
            break;
        }
        host.set_metric(gauge, value)?;
    }
    Ok(())
}

/// The host's numbers for metrics that it has been told of. Nothing depends on whether they can be
/// told.
#[derive(Default)]
pub(super) struct Metrics(BTreeMap<Metric, u32>);

impl Metrics {
    /// Raises a counter, changes a gauge, or puts a value into a histogram.
    pub(super) fn change(&mut self, host: &impl Host, metric: Metric, by: i64) {
        let kind = metric.kind();
        let Some(number) = self.number(host, metric) else {
            return;
        };
        let _ = match kind {
            Kind::Counter | Kind::Gauge => host.change(number, by),
            Kind::Histogram => host.set_metric(number, u64::try_from(by).unwrap_or(0)),
        };
    }

    fn number(&mut self, host: &impl Host, metric: Metric) -> Option<u32> {
        if let Some(number) = self.0.get(&metric) {
            return Some(*number);
        }
        let name = metric.to_string();
        let number = match metric.kind() {
            Kind::Counter => host.counter(&name),
            Kind::Gauge => host.gauge(&name),
            Kind::Histogram => host.histogram(&name),
        };
        let number = number.ok()?;
        self.0.insert(metric, number);
        Some(number)
    }
}
