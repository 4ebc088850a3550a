//! Which capabilities and parameters a raw migration sets, in QEMU's own words.

use super::{
    axes::{Channels, Feature, Method, Multifd, ZeroPage},
    point::Raw,
};

/// A parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A word or a text.
    Text(&'static str),
    /// A number.
    Number(u64),
    /// Yes or no.
    Switch(bool),
}

impl Raw {
    /// The capabilities that are turned on on both sides, all in one command, since some need
    /// others.
    #[must_use]
    pub fn capabilities(&self) -> Vec<&'static str> {
        let mut all = vec!["events"];
        let features = self.features.iter().filter_map(Feature::capability);
        all.extend(features);
        if self.multifd != Multifd::Off {
            all.push("multifd");
        }
        if self.method == Method::Postcopy {
            all.push("postcopy-ram");
        }
        all
    }

    /// The parameters that are set on both sides, besides those of the encryption.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, Setting)> {
        let mut all = Vec::new();
        if self.multifd != Multifd::Off {
            let channels = u64::from(self.channels.count());
            all.push(("multifd-channels", Setting::Number(channels)));
        }
        all.extend(self.multifd.compression());
        all.extend(self.zero_page.parameter());
        all.extend(self.method.mode());
        if self.features.has(Feature::DirectIo) {
            all.push(("direct-io", Setting::Switch(true)));
        }
        all
    }
}

impl Feature {
    /// The capability's own name; none where it is a parameter.
    #[must_use]
    pub const fn capability(self) -> Option<&'static str> {
        Some(match self {
            Self::Xbzrle => "xbzrle",
            Self::AutoConverge => "auto-converge",
            Self::DirtyLimit => "dirty-limit",
            Self::ReturnPath => "return-path",
            Self::SwitchoverAck => "switchover-ack",
            Self::PauseBeforeSwitchover => "pause-before-switchover",
            Self::ValidateUuid => "validate-uuid",
            Self::IgnoreShared => "x-ignore-shared",
            Self::MappedRam => "mapped-ram",
            Self::PostcopyPreempt => "postcopy-preempt",
            Self::PostcopyReady => "postcopy-ram",
            Self::DirectIo => return None,
        })
    }
}

impl Channels {
    /// The number.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }
}

impl Multifd {
    fn compression(self) -> Option<(&'static str, Setting)> {
        let word = match self {
            Self::Off | Self::Plain => return None,
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        };
        Some(("multifd-compression", Setting::Text(word)))
    }
}

impl ZeroPage {
    fn parameter(self) -> Option<(&'static str, Setting)> {
        let word = match self {
            Self::Usual => return None,
            Self::None => "none",
            Self::Legacy => "legacy",
            Self::Multifd => "multifd",
        };
        Some(("zero-page-detection", Setting::Text(word)))
    }
}

impl Method {
    /// The parameter `mode`, where it is not `normal`.
    fn mode(self) -> Option<(&'static str, Setting)> {
        let word = match self {
            Self::Precopy | Self::Postcopy => return None,
            Self::CprReboot => "cpr-reboot",
            Self::CprTransfer => "cpr-transfer",
            Self::CprExec => "cpr-exec",
        };
        Some(("mode", Setting::Text(word)))
    }
}
