//! The profiles of the `colo` suite.

use itertools::iproduct;

use super::{
    axes::{ColoChannel, ColoDisk, ColoMoment, Failover, Loss},
    point::Colo,
};
use crate::{
    Backend, MachineChoice, Point,
    suite::{profiles, unbroken},
};

profiles! {
    Colo;

    /// The eight cases of QEMU's own COLO test: channel × who takes over × when.
    QEMU_COLO = "qemu-colo": &[Backend::Qemu], |_| unbroken(qemus_own(), Point::Colo);
    /// COLO with each way to lose a side, on both machines and with a disk.
    COLO_FULL = "colo-full": &[Backend::Qemu], |_| unbroken(full(), Point::Colo);
}

/// The eight cases of QEMU's own COLO test: channel × who takes over × when.
pub(crate) fn qemus_own() -> Vec<Colo> {
    let axes = iproduct!(Failover::ALL, ColoMoment::ALL, ColoChannel::ALL);
    axes.map(|(failover, moment, channel)| Colo {
        channel,
        failover,
        moment,
        ..Colo::default()
    })
    .collect()
}

/// Each way to lose a side, on both machines and with a disk.
pub(crate) fn full() -> Vec<Colo> {
    let machines = [MachineChoice::Q35, MachineChoice::Pc];
    let axes = iproduct!(qemus_own(), Loss::ALL, machines, ColoDisk::ALL);
    axes.map(|(own, loss, machine, disk)| Colo {
        loss,
        machine,
        disk,
        ..own
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemus_own_cases_are_eight() {
        let own = qemus_own();
        let names: Vec<_> = own.iter().map(Colo::to_string).collect();
        assert_eq!(own.len(), 8);
        assert_eq!(names[0], "single-channel/primary/idle/plain");
        assert_eq!(names[7], "multifd-channel/secondary/checkpoint/plain");
    }
}
