//! The profiles of the `qemu` suite.

use itertools::iproduct;

use super::{
    axes::{
        Accelerator, Address, CpuModel, Devices, Feature, GuestState, MachineChoice, Method,
        Multifd, Tls, Transport,
    },
    coverage,
    point::Raw,
};
use crate::{
    Backend, Point, Profile,
    suite::{ProfileRow, unbroken},
};

/// The usual one first.
pub(super) static PROFILES: [ProfileRow; 4] = [
    ProfileRow {
        profile: Profile::MigrationTest,
        backends: &[Backend::Qemu],
        points: |_| unbroken(coverage::points(), Point::Qemu),
    },
    ProfileRow {
        profile: Profile::Devices,
        backends: &[Backend::Qemu],
        points: |_| unbroken(devices(), Point::Qemu),
    },
    ProfileRow {
        profile: Profile::Plain,
        backends: &[Backend::Qemu],
        points: |_| unbroken(plain_precopy(), Point::Qemu),
    },
    ProfileRow {
        profile: Profile::Families,
        backends: &[Backend::Qemu],
        points: |_| unbroken(families(), Point::Qemu),
    },
];

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
