//! What is under way at once.

use core::time::Duration;
use std::rc::Rc;

use super::{NOW, ONE_CELL, ms, of};
use crate::quota::{ChargeError, InFlight, Slot};
use crate::shared::Table;
use crate::testing::Memory;

const LEASE: Duration = Duration::from_secs(30);
const FULL: ChargeError = ChargeError::Over {
    retry_after: 1,
    left: 0,
};

/// One Envoy, and its VMs.
struct Envoy {
    memory: Memory,
    table: Table,
}

impl Envoy {
    fn new() -> Self {
        let memory = Memory::default();
        let table = Table::join(&memory, ONE_CELL, Some([5; 16])).unwrap();
        Self { memory, table }
    }

    fn vm(&self) -> Rc<InFlight> {
        let vm = Rc::<InFlight>::default();
        vm.join(&self.memory).unwrap();
        vm
    }

    fn hold(&self, vm: &Rc<InFlight>, amount: u64, now: Duration) -> Result<Slot, ChargeError> {
        let wanted = of(&["jane"], amount, 3);
        vm.hold((&self.table, &self.memory), &wanted, LEASE, (now, true))
    }

    fn release(&self, slot: Slot, now: Duration) {
        slot.release(&self.table, &self.memory, now);
    }

    fn renew(&self, vm: &InFlight, now: Duration) {
        vm.renew(&self.table, &self.memory, now);
    }
}

#[test]
fn all_vms_together_hold_no_more_than_the_limit() {
    let envoy = Envoy::new();
    let vms = [envoy.vm(), envoy.vm()];
    let first = envoy.hold(&vms[0], 1, NOW).unwrap();
    let second = envoy.hold(&vms[1], 2, NOW).unwrap();
    assert_eq!((first.left(), second.left(), second.amount()), (2, 0, 2));
    for vm in &vms {
        assert_eq!(envoy.hold(vm, 1, NOW).unwrap_err(), FULL);
    }
    assert_eq!(envoy.hold(&vms[0], 4, NOW).unwrap_err(), ChargeError::Never);
    envoy.release(second, NOW);
    assert_eq!(envoy.hold(&vms[0], 2, NOW).unwrap().left(), 0);
    drop(first);
    assert_eq!(
        envoy.hold(&vms[1], 2, NOW).unwrap_err(),
        FULL,
        "not told yet"
    );
}

#[test]
fn who_only_looks_holds_nothing() {
    let envoy = Envoy::new();
    let vm = envoy.vm();
    for _ in 0..5 {
        let wanted = of(&["jane"], 3, 3);
        let place = (&envoy.table, &envoy.memory as &dyn crate::shared::Shared);
        let looked = vm.hold(place, &wanted, LEASE, (NOW, false)).unwrap();
        assert_eq!((looked.left(), looked.amount()), (0, 0));
    }
    assert_eq!(vm.pause(), None);
    envoy.hold(&vm, 3, NOW).unwrap();
}

#[test]
fn what_a_vm_held_that_is_gone_is_free_after_its_lease() {
    let envoy = Envoy::new();
    let crashed = envoy.vm();
    core::mem::forget(envoy.hold(&crashed, 3, NOW).unwrap());
    let vm = envoy.vm();
    assert_eq!(envoy.hold(&vm, 1, NOW + ms(29_000)).unwrap_err(), FULL);
    envoy.hold(&vm, 3, NOW + ms(31_000)).unwrap();
}

#[test]
fn what_lasts_is_renewed() {
    let envoy = Envoy::new();
    let (vm, other) = (envoy.vm(), envoy.vm());
    let slot = envoy.hold(&vm, 3, NOW).unwrap();
    assert_eq!(vm.pause(), Some(Duration::from_secs(10)));
    let mut now = NOW;
    for _ in 0..20 {
        now += Duration::from_secs(10);
        envoy.renew(&vm, now);
        assert_eq!(envoy.hold(&other, 1, now).unwrap_err(), FULL);
    }
    envoy.release(slot, now);
    assert_eq!(vm.pause(), None, "nothing is left to renew");
    envoy.hold(&other, 3, now).unwrap();
}

#[test]
fn what_nobody_gave_back_is_free_once_the_vm_has_renewed() {
    let envoy = Envoy::new();
    let (vm, other) = (envoy.vm(), envoy.vm());
    drop(envoy.hold(&vm, 2, NOW).unwrap());
    // As if the host failed just then.
    let slot = envoy.hold(&vm, 1, NOW).unwrap();
    slot.release(&envoy.table, &Memory::broken(), NOW);
    let held = ChargeError::Over {
        retry_after: 1,
        left: 2,
    };
    assert_eq!(envoy.hold(&other, 3, NOW).unwrap_err(), held);
    envoy.renew(&vm, NOW);
    assert_eq!(vm.pause(), None);
    envoy.hold(&other, 3, NOW).unwrap();
}

#[test]
fn rows_of_a_hundred_vms_find_room() {
    let envoy = Envoy::new();
    let vms: Vec<_> = (0..100).map(|_| envoy.vm()).collect();
    let wanted = of(&["all"], 1, 100);
    let place = (&envoy.table, &envoy.memory as &dyn crate::shared::Shared);
    let slots: Vec<Slot> = vms
        .iter()
        .map(|vm| vm.hold(place, &wanted, LEASE, (NOW, true)).unwrap())
        .collect();
    assert_eq!(slots.last().unwrap().left(), 0);
    assert_eq!(
        vms[0].hold(place, &wanted, LEASE, (NOW, true)).unwrap_err(),
        FULL
    );
}
