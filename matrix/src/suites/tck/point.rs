//! A scenario: control method × state × flags × hardware, and what must come of it.

use std::{fmt, str::FromStr};

use itertools::iproduct;
use serde::Serialize;

use crate::{
    Activity, Axis, AxisInfo, Backend, BadWord, Condition, Control, Flag, FlagSet, GuestState,
    Hardware, Parallel, Persistence, Point, Preparation, Raw, Rule, Suite, Transport,
    axis::{Value, axes_options},
    point::{Column, Expected, SuitePoint},
    rule::{Row, first, row},
    word::{self, serde_as_text},
};

/// The state that both sides are in before the migration: 8 values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    /// Whether the source has a configuration.
    pub persistence: Persistence,
    /// Whether the guest runs.
    pub activity: Activity,
    /// Whether the destination has a configuration.
    pub preparation: Preparation,
}

/// Control method × state × flags × hardware × connections. Its text is `CONTROL/STATE/FLAGS`, with `/OPTIONS`
/// after it: the words of the other axes that are not the usual ones, if there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scenario {
    /// Who drives the migration.
    pub control: Control,
    /// The state before it.
    pub state: State,
    /// The flags that are given.
    pub flags: FlagSet,
    /// What the guest's machine is made of.
    pub hardware: Hardware,
    /// Over how many connections its memory goes.
    pub parallel: Parallel,
}

/// What the text of a scenario looks like.
const SHAPE: &str = "CONTROL/STATE/FLAGS or CONTROL/STATE/FLAGS/OPTIONS";

axes_options!(Scenario, [hardware: Hardware, parallel: Parallel]);

static RULES: [Row<Scenario>; 1] = [row(
    "parallel-native",
    |scenario| scenario.parallel != Parallel::Off && scenario.control == Control::Tunnelled,
    "a tunnel is one descriptor that libvirt hands to QEMU, and only an address can be connected to \
     more than once",
    "migration_channels_and_transport_compatible in QEMU's migration/migration.c",
)];

/// How a migration is asked for, in libvirt's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The flags of `virDomainMigrateFlags`, by their names.
    pub flags: Vec<&'static str>,
    /// The typed parameters (`VIR_MIGRATE_PARAM_*`) that are numbers, by their fields' names.
    pub parameters: Vec<(&'static str, u32)>,
}

impl Call {
    /// How many channels of multifd it asks for.
    #[must_use]
    pub fn channels(&self) -> u32 {
        let asked = self.parameters.iter();
        let mut asked = asked.filter(|(name, _)| *name == "parallel.connections");
        asked.next().map_or(0, |(_, count)| *count)
    }
}

/// What the model of libvirt says must come of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Expectation {
    /// Before: the source has a configuration.
    pub source_defined: bool,
    /// Before: what the guest does.
    pub activity: Activity,
    /// Before: the destination has an inactive configuration.
    pub destination_defined: bool,
    /// While memory is copied: what the guest does.
    pub during: Activity,
    /// After: the source has a configuration.
    pub source_config: bool,
    /// After: the destination's domain is persistent.
    pub destination_config: bool,
    /// After: what the guest does.
    pub destination_activity: Activity,
}

impl Scenario {
    /// The usual value of each axis: persistent, running, undefined on the destination, without flags.
    pub const USUAL: Self = Self {
        control: Control::Normal,
        state: State {
            persistence: Persistence::Persistent,
            activity: Activity::Running,
            preparation: Preparation::Undefined,
        },
        flags: FlagSet::NONE,
        hardware: Hardware::Minimal,
        parallel: Parallel::Off,
    };

    /// The same, of a transient domain.
    #[must_use]
    pub const fn transient(mut self) -> Self {
        self.state.persistence = Persistence::Transient;
        self
    }

    /// The same, of a paused guest.
    #[must_use]
    pub const fn paused(mut self) -> Self {
        self.state.activity = Activity::Paused;
        self
    }

    /// The same, to a destination that is prepared.
    #[must_use]
    pub const fn prepared(mut self) -> Self {
        self.state.preparation = Preparation::Defined;
        self
    }

    /// The same, with this flag too.
    #[must_use]
    pub const fn with(mut self, flag: Flag) -> Self {
        self.flags = self.flags.with(flag);
        self
    }

    /// Its axes.
    pub const AXES: &'static [&'static AxisInfo] = &[
        &Control::INFO,
        &Persistence::INFO,
        &Activity::INFO,
        &Preparation::INFO,
        &Flag::INFO,
        &Hardware::INFO,
        &Parallel::INFO,
    ];

    /// The conditions that a case of it is judged by.
    pub const CONDITIONS: [Condition; 18] = {
        use Condition::*;
        [
            SourceDefined,
            SourceStarted,
            DestinationPrepared,
            Migrated,
            SourceInactive,
            SourceConfig,
            DestinationExists,
            DestinationActive,
            DestinationConfig,
            DestinationState,
            GuestDuringCopy,
            Memory,
            Alive,
            Identity,
            Events,
            Statistics,
            Transport,
            NoLeftovers,
        ]
    };

    /// How its migration is asked for, with this bound on the bandwidth in MiB/s.
    #[must_use]
    pub fn call(&self, bandwidth_mib: Option<u32>) -> Call {
        let control = self.control.libvirt_flags().iter().copied();
        let flags = control.chain(self.flags.iter().map(Flag::libvirt_flag));
        let parallel = self.parallel.connections();
        let bandwidth = bandwidth_mib.map(|bound| ("bandwidth", bound));
        let connections = parallel.map(|count| ("parallel.connections", count));
        Call {
            flags: flags
                .chain(parallel.map(|_| "VIR_MIGRATE_PARALLEL"))
                .collect(),
            parameters: bandwidth.into_iter().chain(connections).collect(),
        }
    }

    /// What must come of it, by the documentation of `virDomainMigrateFlags`.
    ///
    /// - The source's configuration stays iff it was there and `UNDEFINE_SOURCE` was not given.
    /// - The destination's is there iff it was defined before or `PERSIST_DEST` was given.
    /// - The guest is paused at the end iff it was before or `PAUSED` was given.
    /// - It runs while its memory is copied iff it ran before and `LIVE` was given.
    #[must_use]
    pub fn expectation(&self) -> Expectation {
        let source_defined = self.state.persistence == Persistence::Persistent;
        let destination_defined = self.state.preparation == Preparation::Defined;
        let runs_if = |runs: bool| {
            if runs {
                self.state.activity
            } else {
                Activity::Paused
            }
        };
        Expectation {
            source_defined,
            activity: self.state.activity,
            destination_defined,
            during: runs_if(self.flags.has(Flag::Live)),
            source_config: source_defined && !self.flags.has(Flag::UndefineSource),
            destination_config: destination_defined || self.flags.has(Flag::PersistDest),
            destination_activity: runs_if(!self.flags.has(Flag::Paused)),
        }
    }
}

impl SuitePoint for Scenario {
    fn suite(&self) -> Suite {
        Suite::Tck
    }

    fn backends(&self) -> &'static [Backend] {
        Suite::Tck.backends()
    }

    fn values(&self) -> Vec<Value> {
        let State {
            persistence,
            activity,
            preparation,
        } = self.state;
        let mut all = vec![
            Value::of(self.control),
            Value::of(persistence),
            Value::of(activity),
            Value::of(preparation),
        ];
        all.extend(Value::set(|flag: Flag| self.flags.has(flag)));
        all.extend(self.option_values());
        all
    }

    fn conditions(&self) -> Vec<Condition> {
        let parallel = self.parallel != Parallel::Off;
        let channels = parallel.then_some(Condition::Channels);
        Self::CONDITIONS.into_iter().chain(channels).collect()
    }

    fn excluded(&self) -> Option<&'static Rule> {
        first(&RULES, self)
    }

    fn expected(&self) -> Expected {
        Expected::Managed(self.expectation())
    }

    fn column(&self) -> Column {
        (Control::NAME, self.control.word())
    }

    fn scenario(&self) -> Option<&Scenario> {
        Some(self)
    }

    /// Only where the suite `qemu` has its hardware.
    fn counterpart(&self) -> Option<Point> {
        let guest = match self.state.activity {
            Activity::Running => GuestState::Running,
            Activity::Paused => GuestState::Stopped,
        };
        let (multifd, channels) = self.parallel.multifd();
        Some(Point::Qemu(Raw {
            guest,
            multifd,
            channels,
            transport: Transport::Tcp,
            devices: self.hardware.devices()?,
            ..Raw::USUAL
        }))
    }
}

impl State {
    /// Its text in the words that its values had first.
    pub(crate) fn first_text(self) -> String {
        let (persistence, activity) = (self.persistence.first_word(), self.activity.first_word());
        format!("{persistence}-{activity}-{}", self.preparation.first_word())
    }

    /// All 8, in the order of the axes.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        iproduct!(Persistence::ALL, Activity::ALL, Preparation::ALL).map(
            |(persistence, activity, preparation)| Self {
                persistence,
                activity,
                preparation,
            },
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (persistence, activity) = (self.persistence.word(), self.activity.word());
        write!(f, "{persistence}-{activity}-{}", self.preparation.word())
    }
}

impl FromStr for State {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let last = text.rsplit('-').next().unwrap_or_default();
        let front = &text[..text.len() - last.len()];
        let now = format!("{front}{}", Preparation::INFO.current(last));
        word::find("state", &now, Self::all())
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.control.word(), self.state, self.flags)?;
        match self.option_words() {
            words if words.is_empty() => Ok(()),
            words => write!(f, "/{}", words.join("+")),
        }
    }
}

impl FromStr for Scenario {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let (control, state, flags, options) = match *parts {
            [control, state, flags] => (control, state, flags, None),
            [control, state, flags, options] => (control, state, flags, Some(options)),
            _ => {
                return Err(BadWord {
                    kind: "point",
                    word: text.to_owned(),
                    known: vec![SHAPE.to_owned()],
                });
            }
        };
        let mut scenario = Self {
            control: control.parse()?,
            state: state.parse()?,
            flags: flags.parse()?,
            ..Self::USUAL
        };
        let options = options.filter(|words| *words != Hardware::Minimal.word());
        options.map_or(Ok(()), |words| scenario.put_all(words))?;
        Ok(scenario)
    }
}

serde_as_text!(State);
