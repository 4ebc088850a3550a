//! Judgements: the verdicts on one attempt at a case, condition by condition.

use std::sync::Arc;

use migratrix_history::{Header, History, Observation, Strange, Verb, Versions};
use migratrix_matrix::{Backend, Case, Condition, Detection, Fault, HostSetup, Releases, Role};
use serde::{Deserialize, Serialize};

use crate::{
    Attribution, Flaw, Kind, Lost, Recovered, Verdict,
    checks::Findings,
    flaw::{crashed, hung, lost},
    inside,
    run::seen,
};

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference over"
)]
const fn is_none(milliseconds: &u32) -> bool {
    *milliseconds == 0
}

/// The verdicts on one attempt at a case. One line of `verdicts.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Judgement {
    /// The case.
    pub case: Case,
    /// Which attempt at it, from 1.
    #[serde(deserialize_with = "migratrix_history::attempt_number")]
    pub attempt: u32,
    /// When it began: seconds since 1970 UTC.
    pub began_unix: u64,
    /// The milliseconds that had passed since that second; earlier versions give none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub began_ms: u32,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether the migration was asked for: a fault proves nothing where it was not.
    #[serde(default)]
    pub reached: bool,
    /// The exact versions that took part.
    pub versions: Versions,
    /// How the daemons of its hosts were set up.
    #[serde(default)]
    pub setup: HostSetup,
    /// How much its history records, see [`Header::EVIDENCE`].
    #[serde(default)]
    pub recorded: u32,
    /// Each condition and what came of it, in the order of the case's own list.
    pub conditions: Vec<(Condition, Verdict)>,
    /// The failures that are expected of this case, see [`crate::KnownFailures`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
    /// What came of a migration that was struck on its way, as far as it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovered>,
    /// Whose failure it is, where a raw case beside it was run to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// The file of its history, where it has one: from the run's directory.
    #[serde(
        default,
        deserialize_with = "inside::file_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub log: Option<String>,
    /// What is kept of it beside its history, where it did not come out as expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The hosts that were lost while it was on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
    /// How a QEMU hung in it, or a client of libvirt crashed, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hung: Option<String>,
    /// The first line of its history that is cut or missing, where it is not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<usize>,
    /// What its history tells that this version does not know: a newer one wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strange: Vec<String>,
    /// Which of its releases was another one than its plan says, where one was: then it tells nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misplaced: Option<String>,
    /// What the attempts before this one showed to be wrong, where that fails the run.
    #[serde(skip)]
    pub flaws: Vec<Flaw>,
    /// The run's directory, where several are reported together.
    #[serde(skip)]
    pub home: Option<Arc<str>>,
}

/// A file of the run that shows what went wrong in an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// Its name, from the run's directory: `evidence/CASE/source-qemu.log`.
    #[serde(deserialize_with = "inside::file_of_the_run")]
    pub file: String,
    /// What it shows, for a reader: `what the source's QEMU said, and its command line`.
    pub shows: String,
    /// What QEMU said in it of why it gave up, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl Evidence {
    /// The side that it is of, by its name.
    fn side(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        name.split('-').next().unwrap_or_default()
    }
}

/// A failure that is expected of a condition, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Known {
    /// The condition.
    pub condition: Condition,
    /// Why it fails.
    pub reason: String,
    /// Whether it depends on chance, so that a pass is no news.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sometimes: bool,
    /// Whether the condition does not fail, but can't be seen because of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// Whether it may fail or not be seen, since another condition fails: a pass is no news.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follows: bool,
    /// Where one can read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The last day on which it excuses a failure, as `2027-01-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether that day is over: it is told, and excuses nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// Where a judgement or a condition stands, known failures taken into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Every gate was closed; it was not tried. It never outranks what was.
    Skipped,
    /// It passes, as it should.
    Passed,
    /// It fails, and the failure is known: as expected.
    KnownFailure,
    /// We could not see.
    Unknown,
    /// A failure that is known did not come: news.
    #[serde(alias = "known-passes")]
    UnexpectedPass,
    /// It is as expected now, and an attempt before showed something wrong.
    FailedAtFirst,
    /// It fails.
    Failed,
}

impl Standing {
    /// Whether nothing is wrong with it: a failure that is known is as expected.
    #[must_use]
    pub const fn is_as_expected(self) -> bool {
        match self {
            Self::Passed | Self::KnownFailure | Self::Skipped => true,
            Self::Unknown | Self::UnexpectedPass | Self::FailedAtFirst | Self::Failed => false,
        }
    }
}

/// Judges one attempt: every condition, by what its history holds.
#[must_use]
pub fn judge(history: &History) -> Judgement {
    let header = &history.header;
    let Findings {
        versions,
        conditions,
        recovered,
        other_qemu,
    } = Findings::of(history);
    let judgement = Judgement {
        case: header.case.clone(),
        attempt: header.attempt,
        began_unix: header.began_unix,
        began_ms: header.began_ms,
        elapsed_ms: history
            .entries
            .last()
            .map_or(0, |entry| entry.at_us / 1_000),
        reached: history
            .entries
            .iter()
            .any(|entry| asks_for_migration(&entry.saw)),
        versions,
        setup: header.setup,
        recorded: header.evidence,
        conditions,
        known: Vec::new(),
        recovered,
        attribution: None,
        log: None,
        evidence: Vec::new(),
        lost: lost(history),
        hung: hung(history).or_else(|| crashed(history)),
        cut: None,
        strange: Vec::new(),
        misplaced: other_qemu,
        flaws: Vec::new(),
        home: None,
    };
    match judgement.misplaced.clone() {
        Some(why) => judgement.disowned(why),
        None => judgement,
    }
}

fn asks_for_migration(saw: &Observation) -> bool {
    matches!(
        saw,
        Observation::Began {
            verb: Verb::Migrate | Verb::Begin,
            ..
        }
    )
}

impl Judgement {
    /// A judgement of a case that was not run, because an ability is missing.
    #[must_use]
    pub fn skipped(case: Case, ability: &str, now_unix: u64) -> Self {
        let own = case.point.conditions().into_iter();
        let conditions = own.map(|one| (one, Verdict::skipped(ability))).collect();
        Self {
            case,
            attempt: 1,
            began_unix: now_unix,
            began_ms: 0,
            elapsed_ms: 0,
            reached: false,
            versions: Versions::default(),
            setup: HostSetup::default(),
            recorded: Header::EVIDENCE,
            conditions,
            known: Vec::new(),
            recovered: None,
            attribution: None,
            log: None,
            evidence: Vec::new(),
            lost: Vec::new(),
            hung: None,
            cut: None,
            strange: Vec::new(),
            misplaced: None,
            flaws: Vec::new(),
            home: None,
        }
    }

    /// The same judgement, with the file of its history.
    #[must_use]
    pub fn with_log(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// The same judgement, of a history that is cut or ends in this line: that nothing was left is seen
    /// at its end only, and nobody knows what else is missing.
    #[must_use]
    pub fn cut_at(mut self, line: usize) -> Self {
        self.cut = Some(line);
        for (condition, verdict) in &mut self.conditions {
            let seen = verdict.kind() == Kind::Fail;
            if *condition == Condition::NoLeftovers && !seen {
                *verdict = Verdict::unknown(cut_at(line));
            }
        }
        self
    }

    /// The same judgement, of a history that tells what this version does not know: whatever passes
    /// may do so only because that is not understood.
    #[must_use]
    pub fn with_strange(mut self, strange: &[Strange]) -> Self {
        let told = strange.iter().map(|Strange { line, kind }| {
            let kind: String = kind.chars().take(KIND).collect();
            format!("line {line} of the history tells `{kind}`")
        });
        self.strange = told.collect();
        let Some(first) = self.strange.first() else {
            return self;
        };
        let why = format!(
            "{first}, which this version does not know: judge the run by the version that wrote it"
        );
        for (_, verdict) in &mut self.conditions {
            if verdict.kind() == Kind::Pass {
                *verdict = Verdict::unknown(why.clone());
            }
        }
        self
    }

    /// The same judgement, held to what the releases of its plan are: of another one it tells nothing.
    #[must_use]
    pub fn held_to(self, releases: &Releases) -> Self {
        // The hypervisor in memory stands for each version.
        if self.misplaced.is_some() || self.case.backend == Backend::Fake {
            return self;
        }
        match self.another(releases) {
            Some(why) => self.disowned(why),
            None => self,
        }
    }

    /// Which of its releases had another version than is known of it.
    fn another(&self, releases: &Releases) -> Option<String> {
        let mut all = seen(self).into_iter();
        all.find_map(|(name, libvirt, qemu)| {
            let planned = releases.find(name).ok()?;
            let pairs = [
                ("libvirt", planned.libvirt, libvirt),
                ("QEMU", planned.qemu, qemu),
            ];
            let mut pairs = pairs.into_iter();
            pairs.find_map(|(program, planned, seen)| {
                let (planned, seen) = (planned?, seen?);
                let is_another = planned != seen;
                is_another.then(|| {
                    format!(
                        "{name} is not what the plan says: {program} {seen} took part, and not {planned}"
                    )
                })
            })
        })
    }

    /// The same judgement, of an attempt that tells nothing of its case.
    fn disowned(mut self, why: String) -> Self {
        for (_, verdict) in &mut self.conditions {
            if verdict.kind() != Kind::Skipped {
                *verdict = Verdict::unknown(why.clone());
            }
        }
        self.misplaced = Some(why);
        self
    }

    /// The same judgement, with what is kept of the attempt beside its history.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Vec<Evidence>) -> Self {
        self.evidence = evidence;
        self
    }

    /// What a QEMU said of why it gave up, where that is known: first of the destination, which mostly
    /// is the one that ends.
    #[must_use]
    pub fn said(&self) -> Option<String> {
        let said = |one: &Evidence| {
            let (side, said) = (one.side(), one.said.as_ref()?);
            Some(format!("QEMU said on the {side}: {said}"))
        };
        self.evidence.iter().rev().find_map(said)
    }

    /// What the QEMU of a side said of why it gave up, where that is known.
    pub(crate) fn said_on(&self, side: Role) -> Option<&str> {
        let all = self.evidence.iter().rev();
        let mut there = all.filter(|one| one.side() == side.word());
        there.find_map(|one| one.said.as_deref())
    }

    /// A file of the run's directory, from where the reports are: in the run's own directory that is
    /// the file itself.
    #[must_use]
    pub fn at_home(&self, file: &str) -> String {
        match &self.home {
            Some(home) => format!("{}/{file}", home.trim_end_matches('/')),
            None => file.to_owned(),
        }
    }

    /// What came of one condition.
    #[must_use]
    pub fn of(&self, condition: Condition) -> Option<&Verdict> {
        self.conditions
            .iter()
            .find(|(one, _)| *one == condition)
            .map(|(_, verdict)| verdict)
    }

    /// Why a condition is expected to fail, if it is.
    #[must_use]
    pub fn known(&self, condition: Condition) -> Option<&Known> {
        let of = |known: &&Known| known.condition == condition && !known.expired;
        self.known.iter().find(of)
    }

    /// The known failure of a condition whose day is over, where none excuses it still.
    #[must_use]
    pub fn expired(&self, condition: Condition) -> Option<&Known> {
        let of = |known: &&Known| known.condition == condition && known.expired;
        let expired = self.known.iter().find(of);
        expired.filter(|_| self.known(condition).is_none())
    }

    /// The verdict on the whole case: fail if a condition failed, else unknown if one is unknown,
    /// else pass; skipped only if all are.
    ///
    /// With a fault it is turned: pass if the condition that the fault belongs to tripped as the
    /// fault says.
    #[must_use]
    pub fn overall(&self) -> Verdict {
        self.case
            .fault
            .map_or_else(|| self.sum(), |fault| self.turned(fault))
    }

    /// Where the whole case stands, what earlier attempts showed to be wrong taken into account.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let own = self.own_standing();
        if self.flaws.is_empty() {
            own
        } else {
            own.max(Standing::FailedAtFirst)
        }
    }

    /// Where this attempt stands by itself.
    #[must_use]
    pub fn own_standing(&self) -> Standing {
        let seen = self.seen_standing();
        if self.cut.is_some() || !self.strange.is_empty() || self.misplaced.is_some() {
            seen.max(Standing::Unknown)
        } else {
            seen
        }
    }

    /// Where it stands by what was seen, whatever is missing.
    fn seen_standing(&self) -> Standing {
        if self.case.fault.is_some() {
            return stand(self.overall().kind(), false);
        }
        if self.overall().kind() == Kind::Skipped {
            return Standing::Skipped;
        }
        let kinds = self
            .conditions
            .iter()
            .map(|(one, _)| self.own_standing_of(*one));
        kinds.max().unwrap_or(Standing::Skipped)
    }

    /// Where one condition stands, what earlier attempts showed to be wrong taken into account. The
    /// conditions of a case with a fault are meant to trip: there only the case as a whole stands
    /// for something.
    #[must_use]
    pub fn standing_of(&self, condition: Condition) -> Standing {
        let own = self.own_standing_of(condition);
        match self.flaw(condition) {
            Some(_) => own.max(Standing::FailedAtFirst),
            None => own,
        }
    }

    /// What an earlier attempt showed to be wrong with a condition.
    #[must_use]
    pub fn flaw(&self, condition: Condition) -> Option<&Flaw> {
        let mut flaws = self.flaws.iter();
        flaws.find(|flaw| flaw.condition == Some(condition))
    }

    /// Where one condition of this attempt stands by itself.
    #[must_use]
    pub fn own_standing_of(&self, condition: Condition) -> Standing {
        let kind = self.of(condition).map_or(Kind::Unknown, Verdict::kind);
        let Some(known) = self.known(condition) else {
            return stand(kind, false);
        };
        match (kind, known.unseen) {
            (Kind::Fail | Kind::Unknown, _) if known.follows => Standing::KnownFailure,
            (Kind::Pass, _) if known.follows => Standing::Passed,
            (Kind::Unknown, true) => Standing::KnownFailure,
            (Kind::Pass, false) => stand(kind, !known.sometimes),
            (Kind::Fail, false) => stand(kind, true),
            _ => stand(kind, false),
        }
    }

    /// The conditions that failed or are unknown, and their verdicts.
    pub fn troubles(&self) -> impl Iterator<Item = (Condition, &Verdict)> {
        self.conditions
            .iter()
            .filter_map(|(condition, verdict)| match verdict.kind() {
                Kind::Fail | Kind::Unknown => Some((*condition, verdict)),
                Kind::Pass | Kind::Skipped => None,
            })
    }

    fn sum(&self) -> Verdict {
        let first = |kind| {
            self.conditions
                .iter()
                .find(|(_, verdict)| verdict.kind() == kind)
        };
        let told =
            |(condition, verdict): &(Condition, Verdict)| format!("{condition}: {}", verdict.why());
        if let Some(failed) = first(Kind::Fail) {
            return Verdict::fail(told(failed));
        }
        if let Some(unseen) = first(Kind::Unknown) {
            return Verdict::unknown(told(unseen));
        }
        match (first(Kind::Pass), first(Kind::Skipped)) {
            (Some(_), _) => Verdict::Pass,
            (None, Some((_, skipped))) => Verdict::skipped(skipped.why()),
            (None, None) => Verdict::unknown("no condition was judged"),
        }
    }

    fn turned(&self, fault: Fault) -> Verdict {
        let (condition, word) = (fault.detected_by(), fault.word());
        let Some(verdict) = self.of(condition) else {
            return Verdict::unknown(format!(
                "{condition} was not judged, so {word} proves nothing"
            ));
        };
        let wanted = match fault.how() {
            Detection::Fail => Kind::Fail,
            Detection::Unknown => Kind::Unknown,
        };
        let (kind, why) = (verdict.kind(), verdict.why());
        if let (Kind::Unknown, true, Some(line)) = (kind, self.reached, self.cut) {
            let cut = cut_at(line);
            return Verdict::unknown(format!("{cut}, so {word} proves nothing: {why}"));
        }
        match kind {
            Kind::Unknown if !self.reached => Verdict::unknown(format!(
                "the migration was never asked for, so {word} proves nothing: {why}"
            )),
            _ if kind == wanted => Verdict::Pass,
            Kind::Skipped => Verdict::skipped(why),
            Kind::Unknown => Verdict::unknown(format!(
                "the fault {word} must trip {condition} ({}), which is unknown: {why}",
                wanted.word()
            )),
            Kind::Pass => Verdict::fail(format!(
                "the fault {word} was injected, and {condition} passes all the same"
            )),
            Kind::Fail => Verdict::fail(format!(
                "the fault {word} must leave {condition} unknown, and it failed: {why}"
            )),
        }
    }
}

/// How much is told of a word that is not known, in characters.
const KIND: usize = 40;

fn cut_at(line: usize) -> String {
    format!("the history was cut at line {line}")
}

const fn stand(kind: Kind, known: bool) -> Standing {
    match (kind, known) {
        (Kind::Pass, false) => Standing::Passed,
        (Kind::Pass, true) => Standing::UnexpectedPass,
        (Kind::Fail, false) => Standing::Failed,
        (Kind::Fail, true) => Standing::KnownFailure,
        (Kind::Unknown, _) => Standing::Unknown,
        (Kind::Skipped, _) => Standing::Skipped,
    }
}

impl Standing {
    /// All values, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Passed,
        Self::KnownFailure,
        Self::Skipped,
        Self::Unknown,
        Self::UnexpectedPass,
        Self::FailedAtFirst,
        Self::Failed,
    ];

    /// The words that reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::KnownFailure => "known failure",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::UnexpectedPass => "unexpected pass",
            Self::FailedAtFirst => "failed at first",
            Self::Failed => "failed",
        }
    }

    /// The same, for so many.
    #[must_use]
    pub const fn words(self, count: usize) -> &'static str {
        match (self, count) {
            (_, 1) => self.word(),
            (Self::KnownFailure, _) => "known failures",
            (Self::UnexpectedPass, _) => "unexpected passes",
            (
                Self::Passed | Self::Skipped | Self::Unknown | Self::FailedAtFirst | Self::Failed,
                _,
            ) => self.word(),
        }
    }
}
