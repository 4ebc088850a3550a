//! Jumps as text, for an operator.

mod upgrade;

use std::fmt::Write;

use migratrix_matrix::ReleaseName;

use super::{Avoid, Break, Fails, Jump, Jumps, LeftOver, Safety, Tested, Way, faults};
use crate::{
    explain::{NO_QEMU, TOO_LITTLE, Told, WITH_THE_RUN},
    terminal::{cases, count},
};

/// How many cases are named one by one.
const NAMED: usize = 5;

/// The jumps for a terminal, those that are safe in a line each, of others what must be avoided and the
/// ladder; or the upgrade that was asked for.
#[must_use]
pub fn told(jumps: &Jumps) -> String {
    let mut text = String::new();
    if jumps.in_memory {
        put(&mut text, NO_QEMU);
    }
    match &jumps.upgrade {
        Some(upgrade) => upgrade::steps(&mut text, upgrade),
        None => ways(&mut text, jumps),
    }
    let remarks = jumps.remarks();
    if !remarks.is_empty() {
        put(&mut text, "");
    }
    remarks.iter().for_each(|line| put(&mut text, line));
    text
}

fn ways(text: &mut String, jumps: &Jumps) {
    let stops: Vec<_> = jumps.releases.iter().map(ToString::to_string).collect();
    put(
        text,
        &format!("releases by their versions: {}", stops.join(", ")),
    );
    let (there, untested): (Vec<_>, Vec<_>) = jumps
        .jumps
        .iter()
        .partition(|one| one.safety != Safety::Untested || one.ladder.is_some());
    let width = there.iter().map(|one| wide(&one.pair())).max().unwrap_or(0);
    for (way, title) in [
        (Way::Forward, "forward"),
        (Way::Back, "back"),
        (Way::Unknown, "between releases of unknown versions"),
        (Way::Level, "to the same versions"),
    ] {
        let all: Vec<_> = there.iter().filter(|one| one.way == way).collect();
        if !all.is_empty() {
            put(text, &format!("\n{title}"));
        }
        all.into_iter().for_each(|one| jump(text, one, width));
    }
    if !untested.is_empty() {
        let pairs: Vec<_> = untested.iter().map(|one| one.pair()).collect();
        put(text, &format!("\nuntested: {}", pairs.join(", ")));
    }
    if !jumps.breaks.is_empty() {
        put(
            text,
            "\nwhere two steps say another thing than the jump over both",
        );
    }
    jumps
        .breaks
        .iter()
        .for_each(|one| put(text, &format!("  {}", one.told())));
}

impl Jump {
    /// `bookworm → trixie`
    #[must_use]
    pub fn pair(&self) -> String {
        arrow([&self.source, &self.destination])
    }

    /// What must be known of it, a line each: what to avoid, and which ladder to take.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        let mut lines = conditions(&self.avoid, &self.left_over);
        lines.extend(self.reason.iter().map(ToString::to_string));
        match (&self.ladder, self.safety) {
            (Some(ladder), _) => lines.push(format!("safe by steps: {}", arrow(ladder))),
            (None, Safety::Conditional | Safety::NotSafe) if self.way != Way::Level => {
                lines.push(no_ladder(&self.untested_steps));
            }
            (
                None,
                Safety::Safe
                | Safety::Unclear
                | Safety::Untested
                | Safety::Conditional
                | Safety::NotSafe,
            ) => {}
        }
        lines
    }
}

/// What must be avoided or is not survived, a line each, and the cases that nothing accounts for.
fn conditions(avoid: &[Avoid], left_over: &[LeftOver]) -> Vec<String> {
    let mut lines: Vec<_> = avoid.iter().flat_map(Avoid::told).collect();
    if !left_over.is_empty() {
        let (verb, left) = (faults::verb_of(left_over), cases(left_over.len()));
        lines.push(format!("{verb} {left}, {TOO_LITTLE}"));
        lines.extend(left_over.iter().take(NAMED).map(LeftOver::told));
    }
    match left_over {
        [only] => lines.push(only.chance()),
        [_, ..] if left_over.len() > NAMED => {
            lines.push(format!("and {} more", cases(left_over.len() - NAMED)));
        }
        [..] => {}
    }
    lines
}

/// That there is no ladder, and which steps could make one.
fn no_ladder(untested: &[[ReleaseName; 2]]) -> String {
    let steps: Vec<_> = untested.iter().map(arrow).collect();
    match steps.as_slice() {
        [] => "no ladder of safe steps leads there".to_owned(),
        [one] => format!(
            "no ladder of safe steps leads there yet: {one} is untested, and could make one"
        ),
        [..] => format!(
            "no ladder of safe steps leads there yet: {} are untested, and could make one",
            steps.join(" and ")
        ),
    }
}

impl LeftOver {
    /// Its name, and what it says.
    fn told(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {reason}", self.case),
            None => self.case.to_string(),
        }
    }
}

impl Avoid {
    /// What it is and what its failures say, and beside what is not sure what was never tried.
    fn told(&self) -> Vec<String> {
        let (failed, doubt) = (cases(self.failed), self.doubt());
        let verb = faults::verb(&self.filter);
        let mut lines = vec![format!("{verb} {} ({failed}{doubt})", self.what())];
        lines.extend(self.reason.iter().map(ToString::to_string));
        if !self.untried.is_empty() {
            let never = self.untried.join(", ");
            lines.push(format!(
                "never tried there, so not known to be safe: {never}"
            ));
        }
        lines
    }

    const fn doubt(&self) -> &'static str {
        if self.sure { "" } else { ", not sure" }
    }

    /// What it is, without how many cases fail by it.
    fn what(&self) -> Told<'_> {
        Told {
            filter: &self.filter,
            setups: &self.setups,
        }
    }
}

impl Tested {
    /// `16 of 30 cases pass, 14 fail, all of them known`
    #[must_use]
    pub fn told(&self) -> String {
        let known = match (self.known, self.failed) {
            (0, _) => String::new(),
            (known, failed) if known == failed => ", as is known".to_owned(),
            (known, _) => format!(", {known} of them as is known"),
        };
        let too = match self.passed_too {
            0 => String::new(),
            too => format!(", {too} of them passed in another run"),
        };
        let all = [
            (
                self.failed,
                format!(
                    "{} {}{known}{too}",
                    self.failed,
                    verb(self.failed, "fails", "fail")
                ),
            ),
            (self.at_first, self.told_at_first()),
            (self.unseen, format!("{} could not be seen", self.unseen)),
            (
                self.not_run,
                format!(
                    "{} {} not run",
                    self.not_run,
                    verb(self.not_run, "was", "were")
                ),
            ),
            (self.skipped, format!("{} skipped", self.skipped)),
        ];
        let rest = all.into_iter().filter(|(count, _)| *count > 0);
        let rest = rest
            .map(|(_, told)| format!(", {told}"))
            .collect::<String>();
        format!(
            "{} of {} {}{rest}",
            self.passed,
            cases(self.tried() + self.not_run),
            verb(self.passed, "passes", "pass")
        )
    }
}

impl Tested {
    /// What of those that failed at first nobody saw when they were tried again, which is no pass.
    fn told_at_first(&self) -> String {
        let (all, unseen) = (self.at_first, self.unseen_again);
        let unseen_again = "could not be seen when tried again";
        match unseen {
            0 => format!("{all} failed at first"),
            _ if unseen == all => format!("{all} failed at first, and {unseen_again}"),
            _ => format!("{all} failed at first, {unseen} of which {unseen_again}"),
        }
    }
}

fn verb<'w>(count: usize, one: &'w str, several: &'w str) -> &'w str {
    if count == 1 { one } else { several }
}

fn jump(text: &mut String, jump: &Jump, width: usize) {
    line(
        text,
        [&jump.pair(), jump.safety.words(), &jump.cases.told()],
        width,
    );
    jump.advice()
        .iter()
        .for_each(|told| put(text, &format!("    {told}")));
}

fn line(text: &mut String, [pair, safety, told]: [&str; 3], width: usize) {
    let told = format!("  {pair:width$}  {safety:11}  {told}");
    put(text, told.trim_end());
}

impl Break {
    /// What fails although the others hold, in a line.
    #[must_use]
    pub fn told(&self) -> String {
        let (from, to) = self.failing();
        let failing = arrow([from, to]);
        let jump = arrow([&self.source, &self.destination]);
        let over = arrow([&self.source, &self.over, &self.destination]);
        let holds = match self.fails {
            Fails::Jump => format!("{failing} fails, and {over} holds"),
            Fails::FirstStep | Fails::SecondStep => format!("{jump} holds, and {failing} fails"),
        };
        let traits: Vec<_> = self
            .filters
            .iter()
            .map(|one| format!("{}{}", one.what(), one.doubt()))
            .collect();
        let traits = match (traits.is_empty(), self.cases.as_slice()) {
            (false, _) => format!(" with {}", traits.join(", ")),
            (true, [only]) => format!(", {only}"),
            (true, _) => String::new(),
        };
        format!("{holds}: {}{traits}", cases(self.cases.len()))
    }
}

impl Jumps {
    /// How many of them are safe, in a sentence.
    pub(crate) fn in_short(&self) -> String {
        let (all, safe) = (
            self.tried().count(),
            self.tried().filter(|one| one.safety == Safety::Safe),
        );
        let (safe, pairs) = (safe.count(), count(all, "pair"));
        let why = match safe {
            0 => "",
            _ => ": all that was tried there is as it should be",
        };
        let are = verb(safe, "is", "are");
        format!("{safe} of {pairs} of releases that were tried {are} safe{why}.")
    }

    /// What must be known of all of them, a line each.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let known: usize = self.jumps.iter().map(|one| one.cases.known).sum();
        let mut lines = Vec::new();
        if self.staying > 0 {
            let stay = cases(self.staying);
            lines.push(format!(
                "nothing migrates in {stay}, which tell nothing of a jump"
            ));
        }
        if known > 0 {
            lines.push("known failures count as failures".to_owned());
        }
        lines.extend(faults::any(self).then(|| faults::NOT_AVOIDED.to_owned()));
        if self.jumps.iter().any(|one| one.cases.passed_too > 0) {
            lines.push(
                "what failed in one run and passed in another counts as a failure".to_owned(),
            );
            lines.extend(self.changed_with_the_run.then(|| WITH_THE_RUN.to_owned()));
        }
        if !self.with_libvirt {
            lines.push("QEMU ran alone: what libvirt has a part in is untested".to_owned());
        }
        if self.upgrade.is_some() {
            let line = "versions between those of the releases that were tried, and newer ones, are untested as well";
            lines.push(line.to_owned());
        }
        if self.upgrade.is_none() && self.jumps.iter().any(|one| one.ladder.is_some()) {
            let line = "a guest goes by all steps of a ladder only with a machine type that all of its releases have";
            lines.push(line.to_owned());
        }
        let covers = self.covers.iter();
        let few = |cover| format!("few cases stand for all: {cover} of the pair with the fewest");
        lines.extend(covers.map(few));
        if !self.missing_shards.is_empty() {
            let shards = self.missing_shards.join(", ");
            lines.push(format!(
                "nothing is safe while shards are missing: {shards}"
            ));
        }
        lines.extend(self.damaged.iter().cloned());
        lines
    }
}

/// `bookworm → trixie → sid`
pub(crate) fn arrow<'n>(names: impl IntoIterator<Item = &'n ReleaseName>) -> String {
    let names: Vec<_> = names.into_iter().map(ReleaseName::as_str).collect();
    names.join(" → ")
}

fn wide(text: &str) -> usize {
    text.chars().count()
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all");
}
