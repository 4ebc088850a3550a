//! A point of the `qemu` suite: one migration between two QEMUs, with nothing in between.

use super::axes::{
    Accelerator, Address, Channels, CpuModel, Devices, Feature, GuestState, Incident,
    MachineChoice, Method, Multifd, Tls, Transport, Uuids, ZeroPage,
};
use crate::axis::axes_point;

/// One migration between two QEMUs: a value of each axis. The default is a live precopy over a
/// UNIX socket.
///
/// Its text is `METHOD/TRANSPORT/GUEST/OPTIONS`, as in `precopy/tcp/running/multifd-zstd+psk`. The
/// options are the features, then the words of the other axes that are not the usual ones, or
/// `plain`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Raw {
    /// How the state is moved.
    pub method: Method,
    /// What carries it.
    pub transport: Transport,
    /// What the guest does before.
    pub guest: GuestState,
    /// How the address is given.
    pub address: Address,
    /// Over how many kinds of channels.
    pub multifd: Multifd,
    /// How many of them.
    pub channels: Channels,
    /// Who looks for zeroes.
    pub zero_page: ZeroPage,
    /// How it is encrypted.
    pub tls: Tls,
    /// The machines' UUIDs.
    pub uuids: Uuids,
    /// Capabilities.
    pub features: Features,
    /// What happens on the way.
    pub incident: Incident,
    /// The machine type.
    pub machine: MachineChoice,
    /// The accelerator.
    pub accelerator: Accelerator,
    /// The processors' model.
    pub cpu: CpuModel,
    /// The devices.
    pub devices: Devices,
}

/// A set of [`Feature`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Features(u16);

impl Raw {
    /// The usual value of each axis.
    pub const USUAL: Self = Self {
        method: Method::Precopy,
        transport: Transport::Unix,
        guest: GuestState::Running,
        address: Address::Uri,
        multifd: Multifd::Off,
        channels: Channels::Two,
        zero_page: ZeroPage::Usual,
        tls: Tls::None,
        uuids: Uuids::Same,
        features: Features::NONE,
        incident: Incident::None,
        machine: MachineChoice::Q35,
        accelerator: Accelerator::Tcg,
        cpu: CpuModel::Default,
        devices: Devices::None,
    };

    /// What its axes alone add to the command lines of both QEMUs.
    #[must_use]
    pub fn arguments(&self) -> Vec<&'static str> {
        let cpu = self.cpu.argument().map(|model| ["-cpu", model]);
        let accelerator = ["-accel", self.accelerator.argument()];
        accelerator
            .into_iter()
            .chain(cpu.into_iter().flatten())
            .collect()
    }

    /// The types (`qom-list-types`) that both QEMUs must have for it.
    #[must_use]
    pub fn types(&self) -> Vec<&'static str> {
        let arch = self.machine.arch();
        let cpu = self.cpu.argument().map(|_| self.cpu.qom_type(arch));
        self.devices.types().iter().copied().chain(cpu).collect()
    }
}

impl Features {
    /// No feature.
    pub const NONE: Self = Self(0);

    /// The set with `feature` in it as well.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | 1 << feature as u16)
    }

    /// The set without `feature`.
    #[must_use]
    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !(1 << feature as u16))
    }

    /// Whether `feature` is in the set.
    #[must_use]
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u16) != 0
    }

    /// Its features, in the order of the axis.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        let all = Feature::ALL.into_iter();
        all.filter(move |feature| self.has(*feature))
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        features.into_iter().fold(Self::NONE, Self::with)
    }
}

axes_point! {
    Raw, "METHOD/TRANSPORT/GUEST/OPTIONS",
    heads: [method: Method, transport: Transport, guest: GuestState],
    options: [
        address: Address,
        multifd: Multifd,
        channels: Channels,
        zero_page: ZeroPage,
        tls: Tls,
        uuids: Uuids,
        incident: Incident,
        machine: MachineChoice,
        accelerator: Accelerator,
        cpu: CpuModel,
        devices: Devices,
    ],
    set: features: Feature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_is_taken_out_is_out_and_the_others_stay() {
        let both = Features::NONE
            .with(Feature::Xbzrle)
            .with(Feature::ReturnPath);
        let one = both.without(Feature::Xbzrle);
        assert_eq!(one.iter().collect::<Vec<_>>(), [Feature::ReturnPath]);
        assert_eq!(one.without(Feature::Xbzrle), one);
        assert_eq!(one.with(Feature::Xbzrle), both);
    }
}
