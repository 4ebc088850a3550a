//! The words of filters: which predicates there are, and how each reads its values.

use std::{cmp::Ordering, fmt::Display, str::FromStr};

use crate::{
    Accelerator, Activity, Address, Axis, BackupForm, BadVersion, BadWord, Bitmaps, Carrier,
    Channels, CheckpointDelay, Clusters, ColoChannel, ColoDisk, ColoMoment, Creation, Devices,
    Failover, Feature, Flag, FlagSet, Granularity, GuestState, Hardware, Incident, Journey, Loss,
    MachineChoice, Method, Multifd, Operation, Persistence, Place, Preparation, ReleaseName,
    Target, Tls, Transport, Uuids, Version, Writer, ZeroPage,
};

use super::{
    glob::Glob,
    predicate::{Bound, Comparison, Predicate, Program},
};

/// Reads one value of a predicate, or says what is wrong with it.
pub(super) type Read = fn(&str) -> Result<Predicate, String>;

/// What stands between a predicate's parentheses.
#[derive(Clone, Copy)]
pub(super) enum Values {
    /// Nothing.
    None(Ordering),
    /// All of it is one value.
    One(Read),
    /// Values with commas between them.
    Several(Read),
}

const PREDICATES: [(&str, Values); 14] = [
    (
        "suite",
        Values::Several(|value| axis(value, Predicate::Suite)),
    ),
    (
        "backend",
        Values::Several(|value| axis(value, Predicate::Backend)),
    ),
    (
        "control",
        Values::Several(|value| axis(value, Predicate::Control)),
    ),
    ("state", Values::Several(state)),
    ("flag", Values::Several(flag)),
    (
        "flags",
        Values::Several(|value| axis(value, Predicate::Flags)),
    ),
    ("fault", Values::Several(fault)),
    (
        "client",
        Values::Several(|value| release(Place::Client, value)),
    ),
    (
        "source",
        Values::Several(|value| release(Place::Source, value)),
    ),
    (
        "destination",
        Values::Several(|value| release(Place::Destination, value)),
    ),
    ("forward", Values::None(Ordering::Less)),
    ("same", Values::None(Ordering::Equal)),
    ("backward", Values::None(Ordering::Greater)),
    ("name", Values::One(name)),
];

/// The axes that are a predicate by their name.
const AXES: [(&str, Values); 31] = [
    axis_of::<Hardware>(),
    axis_of::<Method>(),
    axis_of::<Transport>(),
    axis_of::<GuestState>(),
    axis_of::<Address>(),
    axis_of::<Multifd>(),
    axis_of::<Channels>(),
    axis_of::<ZeroPage>(),
    axis_of::<Tls>(),
    axis_of::<Uuids>(),
    axis_of::<Feature>(),
    axis_of::<Incident>(),
    axis_of::<MachineChoice>(),
    axis_of::<Accelerator>(),
    axis_of::<Devices>(),
    axis_of::<ColoChannel>(),
    axis_of::<Failover>(),
    axis_of::<ColoMoment>(),
    axis_of::<Loss>(),
    axis_of::<ColoDisk>(),
    axis_of::<CheckpointDelay>(),
    axis_of::<Journey>(),
    axis_of::<BackupForm>(),
    axis_of::<Operation>(),
    axis_of::<Writer>(),
    axis_of::<Granularity>(),
    axis_of::<Clusters>(),
    axis_of::<Bitmaps>(),
    axis_of::<Creation>(),
    axis_of::<Target>(),
    axis_of::<Carrier>(),
];

const fn axis_of<A: Axis>() -> (&'static str, Values) {
    (A::NAME, Values::Several(word_of::<A>))
}

/// A value's word, or a glob for several.
fn word_of<A: Axis>(value: &str) -> Result<Predicate, String> {
    let all = A::ALL.iter().copied().map(Axis::word);
    if value.contains(['*', '?']) {
        let glob = Glob::new(value);
        let words: Vec<_> = all.filter(|word| glob.matches(word)).collect();
        return if words.is_empty() {
            Err(format!("`{value}` matches no value of `{}`", A::NAME))
        } else {
            Ok(Predicate::Values(A::NAME, words))
        };
    }
    let word = crate::word::find(A::NAME, value, all);
    let predicate = word.map(|word| Predicate::Value(A::NAME, word));
    predicate.map_err(|error| error.to_string())
}

/// Signs of comparisons, those first that others begin with.
const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

/// What the predicate called `word` takes.
pub(super) fn values_of(word: &str) -> Result<Values, BadWord> {
    let all = || PREDICATES.iter().chain(&AXES);
    let found = all().find(|(name, _)| *name == word);
    found.map(|(_, values)| *values).ok_or_else(|| BadWord {
        kind: "predicate",
        word: word.to_owned(),
        known: all().map(|(name, _)| (*name).to_owned()).collect(),
    })
}

fn axis<T: FromStr<Err: Display>>(
    value: &str,
    predicate: fn(T) -> Predicate,
) -> Result<Predicate, String> {
    let value = value.parse().map_err(|error: T::Err| error.to_string());
    value.map(predicate)
}

fn state(value: &str) -> Result<Predicate, String> {
    let persistence = value.parse().map(Predicate::Persistence);
    let activity = value.parse().map(Predicate::Activity);
    let preparation = value.parse().map(Predicate::Preparation);
    persistence.or(activity).or(preparation).map_err(|_| {
        let known = [
            Persistence::ALL.map(Persistence::word),
            Activity::ALL.map(Activity::word),
            Preparation::ALL.map(Preparation::word),
        ];
        let error = BadWord {
            kind: "part of a state",
            word: value.to_owned(),
            known: known.concat().into_iter().map(str::to_owned).collect(),
        };
        error.to_string()
    })
}

fn flag(value: &str) -> Result<Predicate, String> {
    or_none(value, Predicate::Flags(FlagSet::NONE), |flag: Flag| {
        Predicate::Flag(flag)
    })
}

fn fault(value: &str) -> Result<Predicate, String> {
    or_none(value, Predicate::Fault(None), |fault| {
        Predicate::Fault(Some(fault))
    })
}

fn or_none<T: FromStr<Err = BadWord>>(
    value: &str,
    none: Predicate,
    some: fn(T) -> Predicate,
) -> Result<Predicate, String> {
    if value == "none" {
        return Ok(none);
    }
    value.parse().map(some).map_err(|mut error: BadWord| {
        error.known.push("none".to_owned());
        error.to_string()
    })
}

fn name(value: &str) -> Result<Predicate, String> {
    if value.is_empty() {
        return Err("expected a glob for the names of cases, as `*/p2p/*`".to_owned());
    }
    Ok(Predicate::Name(Glob::new(value)))
}

/// A release, a glob, or a version, which has a sign of comparison.
fn release(place: Place, value: &str) -> Result<Predicate, String> {
    if let Some(bound) = bound(value)? {
        return Ok(Predicate::Version(place, bound));
    }
    let plain = value.replace(['*', '?'], "x");
    let name = ReleaseName::new(&plain).map_err(|_| {
        format!("expected a release, a glob as `book*` or a version as `<9.0`, found `{value}`")
    })?;
    Ok(if plain == value {
        Predicate::Release(place, name)
    } else {
        Predicate::Releases(place, Glob::new(value))
    })
}

/// Reads `[libvirt|qemu]COMPARISON VERSION`; `None` where there is no comparison.
fn bound(value: &str) -> Result<Option<Bound>, String> {
    let Some(start) = value.find(['<', '>', '=']) else {
        return Ok(None);
    };
    let (program, rest) = value.split_at(start);
    let program = match program.trim() {
        "" => None,
        "libvirt" => Some(Program::Libvirt),
        "qemu" => Some(Program::Qemu),
        other => return Err(format!("expected `libvirt` or `qemu`, found `{other}`")),
    };
    let signs = COMPARISONS.iter();
    let mut read = signs.filter_map(|(sign, is)| Some((rest.strip_prefix(sign)?, *is)));
    let (version, comparison) = read.next().expect("the rest starts with `<`, `>` or `=`");
    Ok(Some(Bound {
        program,
        comparison,
        numbers: numbers(version.trim()).map_err(|error| error.to_string())?,
    }))
}

/// The numbers of a version, as far as they are written.
fn numbers(text: &str) -> Result<Vec<u32>, BadVersion> {
    let version: Version = text.parse()?;
    let mut numbers = vec![version.major, version.minor, version.micro];
    numbers.truncate(text.split('.').count());
    Ok(numbers)
}
