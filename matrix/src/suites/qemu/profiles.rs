//! The profiles of the `qemu` suite.

use itertools::iproduct;

use super::{
    axes::{
        Accelerator, Address, CpuModel, Devices, Feature, GuestState, Incident, MachineChoice,
        Method, Multifd, Tls, Transport,
    },
    coverage,
    point::Raw,
};
use crate::{
    Backend, Point,
    suite::{profiles, unbroken},
};

profiles! {
    Qemu;

    /// The cases that cover QEMU's own migration-test, by the coverage table.
    MIGRATION_TEST = "migration-test": &[Backend::Qemu], |_| unbroken(coverage::points(), Point::Qemu);
    /// Each set of devices on the newest common machine of both families, with the guest
    /// running and stopped.
    DEVICES = "devices": &[Backend::Qemu], |_| unbroken(devices(), Point::Qemu);
    /// Precopy over each transport on each machine, with the guest running and stopped, and
    /// once with a guest that leaves the tracking of dirty pages to QEMU alone; and with the CPU
    /// models `max` and `Nehalem`.
    PLAIN = "plain": &[Backend::Qemu], |_| unbroken(plain_precopy(), Point::Qemu);
    /// What strikes a migration from outside, on each connection, in the clear and encrypted, over one channel
    /// and over several, with and without a way back.
    RECOVERY = "recovery": &[Backend::Qemu], |_| unbroken(recovery(), Point::Qemu);
    /// Method × transport × multifd × encryption × state of the guest: a product to be covered
    /// (--cover 2 or 3).
    FAMILIES = "families": &[Backend::Qemu], |_| unbroken(families(), Point::Qemu);
}

pub(crate) fn devices() -> impl Iterator<Item = Raw> {
    let machines = [MachineChoice::Q35, MachineChoice::Pc];
    let guests = [GuestState::Running, GuestState::Stopped];
    iproduct!(Devices::ALL, machines, guests).map(|(devices, machine, guest)| Raw {
        guest,
        machine,
        devices,
        ..Raw::default()
    })
}

pub(crate) fn plain_precopy() -> impl Iterator<Item = Raw> {
    let guests = [GuestState::Running, GuestState::Stopped];
    let product = iproduct!(Transport::ALL, MachineChoice::ALL, guests);
    let points = product.map(|(transport, machine, guest)| Raw {
        transport,
        guest,
        machine,
        ..Raw::default()
    });
    let unflushed = Raw {
        accelerator: Accelerator::TcgUnflushed,
        ..Raw::default()
    };
    let models = CpuModel::ALL.into_iter().skip(1);
    let models = iproduct!(models, [MachineChoice::Q35, MachineChoice::Pc], guests);
    let models = models.map(|(cpu, machine, guest)| Raw {
        guest,
        machine,
        cpu,
        ..Raw::default()
    });
    points.chain([unflushed]).chain(models)
}

/// What strikes from outside: the counterpart of the suite `recovery` with QEMU alone.
pub(crate) fn recovery() -> impl Iterator<Item = Raw> {
    let struck = Incident::ALL.into_iter();
    let struck = struck.filter(|incident| incident.blow().is_some());
    let transports = [Transport::Unix, Transport::Tcp, Transport::Fd];
    let guests = [GuestState::Running, GuestState::Stopped];
    let multifd = [Multifd::Off, Multifd::Plain];
    let keys = [Tls::None, Tls::Psk];
    let product = iproduct!(struck, transports, guests, multifd, keys, [false, true]);
    product.map(|(incident, transport, guest, multifd, tls, answers)| {
        let pauses = incident.is_before_switchover();
        let pauses = pauses.then_some(Feature::PauseBeforeSwitchover);
        let answers = answers.then_some(Feature::ReturnPath);
        Raw {
            transport,
            guest,
            multifd,
            tls,
            features: pauses.into_iter().chain(answers).collect(),
            incident,
            ..Raw::default()
        }
    })
}

/// Each point comes with what its method or its transport can't be without.
pub(crate) fn families() -> impl Iterator<Item = Raw> {
    let keys = [Tls::None, Tls::Psk, Tls::X509OverrideHost];
    let product = iproduct!(
        Method::ALL,
        Transport::ALL,
        Multifd::ALL,
        keys,
        GuestState::ALL
    );
    product.map(|(method, transport, multifd, tls, guest)| {
        let mapped = multifd != Multifd::Off && transport.is_named_file();
        let features = mapped.then_some(Feature::MappedRam);
        let listed = method == Method::CprTransfer;
        Raw {
            method,
            transport,
            guest,
            address: if listed {
                Address::Channels
            } else {
                Address::Uri
            },
            multifd,
            tls,
            features: features.into_iter().collect(),
            ..Raw::default()
        }
    })
}
