//! A point of the `qemu` suite: one migration between two QEMUs, with nothing in between.

pub(crate) mod axes;
pub(crate) mod axis;
pub(crate) mod coverage;
mod devices;
mod kinds;
pub(crate) mod model;
pub(crate) mod needs;
pub(crate) mod rules;
pub(crate) mod settings;

use std::{fmt, str::FromStr};

use crate::{BadWord, word::serde_as_text};
use axes::{
    Accelerator, Address, Channels, Devices, Feature, GuestState, Incident, MachineChoice, Method,
    Multifd, Tls, Transport, Uuids, ZeroPage,
};
use axis::Axis;

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
        devices: Devices::None,
    };
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
        let all = Feature::ALL.iter().copied();
        all.filter(move |feature| self.has(*feature))
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        features.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Reads and writes one optional axis of a [`Raw`].
struct OptionAxis {
    word: fn(&Raw) -> Option<&'static str>,
    put: fn(&mut Raw, &str) -> bool,
    words: fn() -> Vec<&'static str>,
}

/// Makes the entry of [`OPTIONS`] for a field.
macro_rules! option {
    ($field:ident: $type:ty) => {
        OptionAxis {
            word: |raw| (raw.$field != <$type>::default()).then(|| raw.$field.word()),
            put: |raw, word| {
                let usual = raw.$field == <$type>::default();
                let found = <$type>::ALL[1..].iter().find(|value| value.word() == word);
                if let Some(value) = found.filter(|_| usual) {
                    raw.$field = *value;
                    return true;
                }
                false
            },
            words: || <$type>::ALL[1..].iter().map(|value| value.word()).collect(),
        }
    };
}

/// The axes that stand in the options, in the order of a name; features come before them.
const OPTIONS: [OptionAxis; 10] = [
    option!(address: Address),
    option!(multifd: Multifd),
    option!(channels: Channels),
    option!(zero_page: ZeroPage),
    option!(tls: Tls),
    option!(uuids: Uuids),
    option!(incident: Incident),
    option!(machine: MachineChoice),
    option!(accelerator: Accelerator),
    option!(devices: Devices),
];

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, transport) = (self.method.word(), self.transport.word());
        write!(f, "{method}/{transport}/{}/", self.guest.word())?;
        let options = OPTIONS.iter().filter_map(|option| (option.word)(self));
        let words: Vec<_> = self
            .features
            .iter()
            .map(Axis::word)
            .chain(options)
            .collect();
        if words.is_empty() {
            return f.write_str(PLAIN);
        }
        f.write_str(&words.join("+"))
    }
}

/// The options of a point that has only usual values.
const PLAIN: &str = "plain";

impl FromStr for Raw {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let [method, transport, guest, options] = *parts else {
            return Err(BadWord {
                kind: "point",
                word: text.to_owned(),
                known: vec!["METHOD/TRANSPORT/GUEST/OPTIONS".to_owned()],
            });
        };
        let mut raw = Self {
            method: method.parse()?,
            transport: transport.parse()?,
            guest: guest.parse()?,
            ..Self::default()
        };
        if options != PLAIN {
            options.split('+').try_for_each(|word| raw.put(word))?;
        }
        Ok(raw)
    }
}

impl Raw {
    /// The value of each axis that has one value: the axis's name and the value's word.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static str, &'static str)> {
        fn value<A: Axis>(value: A) -> (&'static str, &'static str) {
            (A::NAME, value.word())
        }
        vec![
            value(self.method),
            value(self.transport),
            value(self.guest),
            value(self.address),
            value(self.multifd),
            value(self.channels),
            value(self.zero_page),
            value(self.tls),
            value(self.uuids),
            value(self.incident),
            value(self.machine),
            value(self.accelerator),
            value(self.devices),
        ]
    }

    /// Whether the axis of that name has the value of that word; a feature is on.
    #[must_use]
    pub fn is(&self, axis: &str, word: &str) -> bool {
        if axis == Feature::NAME {
            return self.features.iter().any(|feature| feature.word() == word);
        }
        self.values().contains(&(axis, word))
    }

    /// The words of the axis of that name, if it is one; `feature` is one as well.
    #[must_use]
    pub fn words_of(axis: &str) -> Option<Vec<&'static str>> {
        fn words<A: Axis>() -> (&'static str, Vec<&'static str>) {
            (A::NAME, A::ALL.iter().map(|value| value.word()).collect())
        }
        let axes = [
            words::<Method>(),
            words::<Transport>(),
            words::<GuestState>(),
            words::<Address>(),
            words::<Multifd>(),
            words::<Channels>(),
            words::<ZeroPage>(),
            words::<Tls>(),
            words::<Uuids>(),
            words::<Incident>(),
            words::<MachineChoice>(),
            words::<Accelerator>(),
            words::<Devices>(),
            words::<Feature>(),
        ];
        let found = axes.into_iter().find(|(name, _)| *name == axis);
        found.map(|(_, words)| words)
    }

    /// Sets the axis that `word` is a value of.
    fn put(&mut self, word: &str) -> Result<(), BadWord> {
        let feature = Feature::ALL.iter().find(|feature| feature.word() == word);
        if let Some(feature) = feature.filter(|feature| !self.features.has(**feature)) {
            self.features = self.features.with(*feature);
            return Ok(());
        }
        if OPTIONS.iter().any(|option| (option.put)(self, word)) {
            return Ok(());
        }
        let features = Feature::ALL.iter().map(|feature| feature.word());
        let words = OPTIONS.iter().flat_map(|option| (option.words)());
        Err(BadWord {
            kind: "option, or one that is there already,",
            word: word.to_owned(),
            known: features.chain(words).map(str::to_owned).collect(),
        })
    }
}

serde_as_text!(Raw);
