//! Whose failure it is: QEMU's own, or that of what manages it.
//!
//! A case that fails on libvirt is followed by the raw case of the same pair, machine, devices and
//! state, where QEMU is alone. What comes of that one tells the two apart.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use migratrix_matrix::{Case, Condition};
use serde::{Deserialize, Serialize};

use crate::{Evidence, Judgement, Kind, Verdict, printable::printable};

/// Whose failure it is, and by what evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attribution {
    /// Whose.
    pub origin: Origin,
    /// Why.
    pub why: String,
    /// The raw case that tells.
    pub raw: Case,
    /// The file name of the raw case's history, where it has one.
    #[serde(
        default,
        deserialize_with = "crate::inside::file_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub log: Option<String>,
}

/// Whose failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// QEMU alone fails as well.
    Qemu,
    /// QEMU alone does not fail.
    ManagementLayer,
    /// The raw case doesn't tell.
    #[serde(alias = "unclear")]
    Undetermined,
}

impl Origin {
    /// The words that reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Qemu => "QEMU",
            Self::ManagementLayer => "management layer",
            Self::Undetermined => "undetermined",
        }
    }
}

impl fmt::Display for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin.word(), printable(&self.why))
    }
}

impl Judgement {
    /// The same judgement, with whose failure it is by what came of the `raw` case beside it. A
    /// case that did not fail, or that is a raw one itself, stays as it is.
    #[must_use]
    pub fn attributed(mut self, raw: &Self) -> Self {
        let failed = failed(&self);
        if self.case.raw().is_some() || failed.is_empty() {
            return self;
        }
        let tried = tried(&failed, raw);
        let (origin, why) = if tried.is_empty() {
            let why = "not seen in QEMU alone, which was to migrate no more".to_owned();
            (Origin::Undetermined, why)
        } else {
            weigh(&tried, raw)
        };
        self.attribution = Some(Attribution {
            origin,
            why,
            raw: raw.case.clone(),
            log: raw.log.clone(),
        });
        self.evidence
            .extend(raw.evidence.iter().map(|one| Evidence {
                file: one.file.clone(),
                shows: format!("QEMU alone, {}", one.shows),
                said: one.said.clone(),
            }));
        self
    }
}

fn failed(judgement: &Judgement) -> Vec<Condition> {
    let troubles = judgement.troubles();
    let failed = troubles.filter(|(_, verdict)| verdict.kind() == Kind::Fail);
    failed.map(|(condition, _)| condition).collect()
}

/// What failed, less a second migration where QEMU alone was asked for none.
fn tried(failed: &[Condition], raw: &Judgement) -> Vec<Condition> {
    let is_retried = raw.case.raw().is_some_and(|raw| raw.incident.is_retried());
    let all = failed.iter().copied();
    all.filter(|one| is_retried || *one != Condition::Retried)
        .collect()
}

fn weigh(failed: &[Condition], raw: &Judgement) -> (Origin, String) {
    let overall = raw.overall();
    let why = overall.why();
    match overall.kind() {
        Kind::Pass => covers(failed, raw),
        Kind::Skipped => (
            Origin::Undetermined,
            format!("QEMU alone was not tried: {why}"),
        ),
        Kind::Unknown => (
            Origin::Undetermined,
            format!("what QEMU alone does was not seen: {why}"),
        ),
        Kind::Fail => compare(failed, raw),
    }
}

/// QEMU alone does well: in what failed as well, as far as it was tried there.
fn covers(failed: &[Condition], raw: &Judgement) -> (Origin, String) {
    let skipped = |one: &&Condition| raw.of(**one).map(Verdict::kind) == Some(Kind::Skipped);
    match failed.iter().find(skipped) {
        Some(first) => {
            let why = raw.of(*first).map_or("", Verdict::why);
            let why = format!("not seen in QEMU alone, where {first} was skipped: {why}");
            (Origin::Undetermined, why)
        }
        None => (Origin::ManagementLayer, carries(raw)),
    }
}

fn carries(raw: &Judgement) -> String {
    let (from, to) = (&raw.case.tuple.source, &raw.case.tuple.destination);
    format!("QEMU alone carries this guest from {from} to {to}")
}

/// Both fail: in the same condition, or in what it follows from, or in different ones.
fn compare(failed: &[Condition], raw: &Judgement) -> (Origin, String) {
    let of_raw = self::failed(raw);
    let told = |condition: Condition| {
        let why = raw.of(condition).map_or("", |verdict| verdict.why());
        format!("{condition}: {why}")
    };
    if let Some(same) = of_raw.iter().find(|one| failed.contains(one)) {
        let why = format!("QEMU alone fails in the same, {}", told(*same));
        return (Origin::Qemu, why);
    }
    let (first, other) = (failed[0], of_raw[0]);
    if raw.of(first).is_none() {
        let why = format!("QEMU has no part in {first}");
        return (Origin::ManagementLayer, why);
    }
    if of_raw.contains(&Condition::Migrated) && follows(first) {
        let why = format!(
            "QEMU alone does not come so far, {}",
            told(Condition::Migrated)
        );
        return (Origin::Qemu, why);
    }
    let why = format!("QEMU alone fails in something else, {}", told(other));
    (Origin::Undetermined, why)
}

/// Whether nothing can be expected of the condition where the guest did not migrate.
fn follows(condition: Condition) -> bool {
    ![Condition::SourceStarted, Condition::NoLeftovers].contains(&condition)
}

/// The attributions of some cases, by whose failure it is: how many there are of each, and the first.
pub(crate) fn origins<'j>(cases: &[&'j Judgement]) -> BTreeMap<Origin, (usize, &'j Attribution)> {
    let mut all = BTreeMap::new();
    for attribution in cases.iter().filter_map(|one| one.attribution.as_ref()) {
        all.entry(attribution.origin).or_insert((0, attribution)).0 += 1;
    }
    all
}
