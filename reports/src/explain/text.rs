//! An account as text.

use std::fmt::Write;

use migratrix_matrix::{HostSetup, Role};

use super::{Account, Blame, LeftOver, Neighbours, Other, Told, Tried};
use crate::{
    printable::shortened,
    terminal::{cases, count},
};

/// Why nothing is told of failures: what few have in common may be so by chance, and causes of more factors are not
/// looked for.
pub(crate) const TOO_LITTLE: &str = "for which no cause of up to three factors stands out";

/// What is said first where the hypervisor in memory ran the cases.
pub(crate) const NO_QEMU: &str =
    "no QEMU ran: this is the hypervisor in memory, and says nothing of these releases";

/// What is said of several cases of which each fails in the same runs, and passes in the same others.
pub(crate) const WITH_THE_RUN: &str = "all of them fail in the same runs, and pass in the same others: these runs differ in something that is no axis \
                            of a case";

/// How much of what was never tried is told, in characters.
const UNTRIED: usize = 160;

/// How many cases that are left over are named.
const NAMED: usize = 5;

/// The account for a terminal: each cause, how many cases it explains and how sure it is, then what is
/// left over.
#[must_use]
pub fn told(account: &Account) -> String {
    let mut text = String::new();
    let Account {
        cases: tally,
        left_over,
        never_varied,
        ..
    } = account;
    if account.in_memory {
        put(&mut text, NO_QEMU);
    }
    put(&mut text, &head(account));
    for (place, cause) in account.telling().iter().enumerate() {
        put(&mut text, "");
        one(&mut text, place + 1, cause);
    }
    if !left_over.is_empty() && tally.failed < tally.tried {
        let left = cases(left_over.len());
        put(&mut text, &format!("\nleft over, {TOO_LITTLE}: {left}"));
        for LeftOver { case, reason } in left_over.iter().take(NAMED) {
            put(&mut text, &format!("  {case}"));
            if let Some(reason) = reason {
                put(&mut text, &format!("    {reason}"));
            }
        }
        if let [only] = left_over.as_slice() {
            put(&mut text, &format!("  {}", only.chance()));
        }
        if left_over.len() > NAMED {
            put(
                &mut text,
                &format!("  and {} more", cases(left_over.len() - NAMED)),
            );
        }
    }
    put(&mut text, "");
    remarks(&mut text, account);
    let roles = never_varied.iter().map(String::as_str);
    let roles: Vec<_> = roles.filter(|name| is_role(name)).collect();
    if tally.failed > 0 && !roles.is_empty() {
        let names = roles.join(", ");
        put(
            &mut text,
            &format!("the same in all cases, so that no cause can name it: {names}"),
        );
    }
    text.trim_end().to_owned() + "\n"
}

/// The causes in a line each, for the end of a run; nothing where there is nothing to tell.
#[must_use]
pub fn causes(account: &Account) -> Vec<String> {
    let line = |cause: &Blame| format!("{} ({})", cause.told(), cause.how_many());
    account.telling().iter().map(line).collect()
}

impl LeftOver {
    /// How to see whether it is chance, where it alone is left over.
    pub(crate) fn chance(&self) -> String {
        format!("whether it is chance: migratrix run --case {}", self.case)
    }
}

fn is_role(name: &str) -> bool {
    Role::ALL.iter().any(|role| role.word() == name)
}

fn head(account: &Account) -> String {
    let Tried {
        tried,
        failed,
        excused,
        ..
    } = account.cases;
    let of = cases(tried);
    match (tried, failed) {
        (0, _) => "no case was tried: there is nothing to explain".to_owned(),
        (1, 0) if excused == 0 => "the only case passes: there is nothing to explain".to_owned(),
        (_, 0) if excused > 0 => {
            let known = count(excused, "known failure");
            format!("none of {of} fails but {known}: --fail-known explains these")
        }
        (_, 0) => format!("none of {of} fails: there is nothing to explain"),
        (1, 1) => {
            "the only case fails: without a case that passes nothing tells what it depends on; try \
                   another pair of releases, or another profile"
                .to_owned()
        }
        (tried, failed) if tried == failed => format!(
            "all of {of} fail: without a case that passes nothing tells what it depends on; try \
             another pair of releases, or another profile"
        ),
        (_, failed) => {
            let left = account.left_over.len();
            let (by, have) = (count(account.causes.len(), "cause"), failed - left);
            let verb = if failed == 1 { "fails" } else { "fail" };
            match (account.causes.len(), left) {
                (0, _) if failed == 1 => format!(
                    "1 of {of} fails: what it depends on is not known, for one failure can't be told from chance"
                ),
                (0, _) => format!(
                    "{failed} of {of} {verb}, {TOO_LITTLE}; see what migratrix report says of them"
                ),
                (_, 0) => format!("{failed} of {of} {verb}: {by} for all of them"),
                (_, _) => format!("{failed} of {of} {verb}: {by} for {have} of them"),
            }
        }
    }
}

fn one(text: &mut String, place: usize, cause: &Blame) {
    let Blame {
        in_other_words,
        reason,
        failed,
        passed,
        sure,
        doubts,
        beside,
        rivals,
        ..
    } = cause;
    put(text, &format!("{place}. {}", cause.told()));
    let mut how = vec![if *sure { "sure" } else { "not sure" }.to_owned()];
    how.extend(doubts.iter().cloned());
    put(
        text,
        &format!(
            "   {}{}; {}",
            fail_of(failed.len(), failed.len() + passed.len()),
            cause.alone(),
            how.join(", ")
        ),
    );
    if let Some(reason) = reason {
        put(text, &format!("   {reason}"));
    }
    if !in_other_words.is_empty() {
        put(
            text,
            &format!("   the same in other words: {}", in_other_words.join(", ")),
        );
    }
    let tried: Vec<_> = beside.iter().map(neighbours).collect();
    if !tried.is_empty() {
        put(text, &format!("   beside it: {}", tried.join("; ")));
    }
    let untried = cause.not_known();
    if !untried.is_empty() {
        let never = shortened(&untried.join(", "), UNTRIED);
        put(
            text,
            &format!("   never tried with the rest of it: {never}"),
        );
    }
    rivals.iter().for_each(|one| other(text, one));
}

fn fail_of(failed: usize, all: usize) -> String {
    match (failed, all) {
        (1, 1) => "the only case that was tried fails".to_owned(),
        (1, all) => format!("1 of the {} that were tried fails", cases(all)),
        (failed, all) => format!("{failed} of the {} that were tried fail", cases(all)),
    }
}

fn neighbours(one: &Neighbours) -> String {
    let Neighbours {
        axis,
        passed,
        failed,
    } = one;
    match (passed, failed) {
        (0, 0) => format!("nothing was tried with only {axis} changed"),
        (passed, 0) => format!("with only {axis} changed {passed} pass"),
        (passed, failed) => format!("with only {axis} changed {passed} pass, {failed} fail"),
    }
}

fn other(text: &mut String, one: &Other) {
    let share = one.share * 100.0;
    let what = Told {
        filter: one.filter.as_deref().unwrap_or("chance"),
        setups: &one.setups,
    };
    let with = if one.with.is_empty() {
        String::new()
    } else {
        format!(", where others are {}", one.with.join(" and "))
    };
    put(
        text,
        &format!("   it could also be {what}{with} ({share:.0} %)"),
    );
    if let Some(case) = &one.told_by {
        let on = one.told_on.and_then(HostSetup::option);
        let on = on.map_or_else(String::new, |option| format!(" {option}"));
        put(
            text,
            &format!("     this would tell: migratrix run{on} --case {case}"),
        );
    } else {
        put(
            text,
            "     no case that these runs could have tried would tell",
        );
    }
}

fn remarks(text: &mut String, account: &Account) {
    let Tried {
        excused,
        flaky,
        unseen_again,
        unknown,
        skipped,
        failed,
        ..
    } = account.cases;
    // Of runs without another failure the first line says it.
    let excused = if failed > 0 { excused } else { 0 };
    if let Some(first) = account.changed.first() {
        let changed = cases(account.changed.len());
        put(
            text,
            &format!(
                "{changed} came out otherwise in another run, as {first}: what came last counts"
            ),
        );
        if account.changed_with_the_run {
            put(text, WITH_THE_RUN);
        }
    }
    for (number, one, several) in [
        (
            excused,
            "known failure counts as passed: --fail-known explains it",
            "known failures count as passed: --fail-known explains them",
        ),
        (
            flaky - unseen_again,
            "case failed at first and not when tried again: it counts for nothing",
            "cases failed at first and not when tried again: they count for nothing",
        ),
        (
            unseen_again,
            "case failed at first, and could not be seen when tried again: it counts for nothing",
            "cases failed at first, and could not be seen when tried again: they count for nothing",
        ),
        (
            unknown,
            "case could not be seen: it counts for nothing",
            "cases could not be seen: they count for nothing",
        ),
        (
            skipped,
            "case was skipped, for a release or the machine lacks what it needs",
            "cases were skipped, for a release or the machine lacks what they need",
        ),
    ] {
        match number {
            0 => {}
            1 => put(text, &format!("1 {one}")),
            number => put(text, &format!("{number} {several}")),
        }
    }
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all");
}
