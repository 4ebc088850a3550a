//! What went wrong, of a reason: the words that are the same in each case to which it happened. By these
//! failures are told apart, wherever they are put into groups, and by these a known failure is recognized.

use std::ops::Range;

use crate::{Judgement, checks};

/// The sign that stands for what differs from case to case.
const VARIES: &str = "#";
/// Where the life-cycle events are listed that were seen or expected: what is wrong of them stands before, and the
/// lists follow from the case.
const LISTS: [&str; 2] = ["; the model is ", "; the source told "];
/// What is said next of the other side.
const NEXT: [&str; 2] = ["; the source (", "; the destination ("];

/// A part of a reason.
enum Part<'w> {
    /// Words that are the same in other cases.
    Same(&'w str),
    /// What differs from case to case.
    Varies,
}

/// The reason without what differs from case to case: what the case is called, releases and versions,
/// numbers, names. An error's code stays.
pub(crate) fn gist(judgement: &Judgement, why: &str) -> String {
    let parts = parts(judgement, why);
    let words = parts.iter().map(|part| match part {
        Part::Same(words) => words.split_whitespace().collect::<Vec<_>>().join(" "),
        Part::Varies => VARIES.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The runs of words of a reason that are the same in other cases, the most telling first: of what was
/// seen before what was expected, and of like ones the longest. An error's code is none of them.
pub(crate) fn telling<'w>(judgement: &Judgement, why: &'w str) -> Vec<&'w str> {
    let seen = seen(why);
    let of = |text: &'w str| {
        let mut all: Vec<_> = parts(judgement, text)
            .into_iter()
            .filter_map(|part| match part {
                Part::Same(words) => Some(bare(words)),
                Part::Varies => None,
            })
            .filter(|words| words.contains(char::is_whitespace))
            .collect();
        all.sort_by_key(|words| std::cmp::Reverse(words.len()));
        all
    };
    let mut all = of(seen);
    all.extend(of(why));
    all
}

/// The text without the versions of hosts, as `(trixie, libvirt 11.3.0, QEMU 10.0.13)`.
pub(crate) fn without_hosts(text: &str) -> String {
    let mut bare = String::new();
    let mut end = 0;
    for host in hosts(text) {
        bare += text[end..host.start].trim_end();
        end = host.end;
    }
    bare + &text[end..]
}

/// What was seen, of a reason that says before what was expected, and where.
fn seen(why: &str) -> &str {
    if let Some((_, said)) = why.split_once(" was refused: ") {
        return said;
    }
    hosts(why).last().map_or(why, |host| &why[host.end..])
}

/// Words without an error's code and the signs around them.
fn bare(words: &str) -> &str {
    let words = words.split(" (error code").next().unwrap_or(words);
    words.trim_matches(|c: char| c.is_whitespace() || ",;:(".contains(c))
}

fn parts<'w>(judgement: &Judgement, why: &'w str) -> Vec<Part<'w>> {
    let tuple = &judgement.case.tuple;
    let releases = [&tuple.client, &tuple.source, &tuple.destination];
    let masks = masks(judgement, why);
    let mut parts: Vec<Part<'w>> = Vec::new();
    let mut before = "";
    let mut run: Option<Range<usize>> = None;
    for word in words(why, &masks) {
        let text = &why[word.clone()];
        let bare = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_masked = masks
            .iter()
            .any(|mask| mask.start <= word.start && word.end <= mask.end);
        let has_number = bare.contains(|c: char| c.is_ascii_digit()) && before != "code";
        let names_release = releases.iter().any(|name| name.as_str() == bare);
        before = bare;
        if is_masked || has_number || names_release {
            parts.extend(run.take().map(|run| Part::Same(&why[run])));
            if !matches!(parts.last(), Some(Part::Varies)) {
                parts.push(Part::Varies);
            }
        } else {
            let begin = run.map_or(word.start, |run| run.start);
            run = Some(begin..word.end);
        }
    }
    parts.extend(run.map(|run| Part::Same(&why[run])));
    parts
}

/// The words of a text; what is masked begins and ends one.
fn words(text: &str, masks: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut begin = None;
    for (at, sign) in text.char_indices() {
        let is_edge = masks.iter().any(|mask| mask.start == at || mask.end == at);
        if is_edge || sign.is_whitespace() {
            words.extend(begin.take().map(|begin| begin..at));
        }
        if !sign.is_whitespace() && begin.is_none() {
            begin = Some(at);
        }
    }
    words.extend(begin.map(|begin| begin..text.len()));
    words
}

/// Where a text has what follows from the case: what it is called, the versions of its hosts, lists of events.
fn masks(judgement: &Judgement, text: &str) -> Vec<Range<usize>> {
    let called = checks::called(&judgement.case);
    let called = called.iter().flat_map(|name| {
        let found = text.match_indices(name.as_str());
        found.map(|(at, name)| at..at + name.len())
    });
    let lists = LISTS.iter().flat_map(|list| {
        let found = text.match_indices(list);
        found.map(|(at, _)| {
            let rest = &text[at + list.len()..];
            let next = NEXT.iter().filter_map(|next| rest.find(next)).min();
            at..next.map_or(text.len(), |next| at + list.len() + next)
        })
    });
    called.chain(hosts(text)).chain(lists).collect()
}

/// Where a text has the release and the versions of a host, in their parentheses.
fn hosts(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('(').filter_map(|(at, _)| {
        let end = at + text[at..].find(')')? + 1;
        let within = &text[at + 1..end];
        let is_host = [", libvirt ", ", QEMU "]
            .iter()
            .any(|one| within.contains(one));
        (is_host && !within.contains('(')).then_some(at..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::good;

    const HOSTS: &str = "from the source (bookworm, libvirt 9.0.0, QEMU 7.2.22) to the destination (trixie, \
                         libvirt 11.3.0, QEMU 10.0.13)";

    fn judgement(name: &str) -> Judgement {
        crate::judge(&good(name))
    }

    fn refused(flags: &str, control: &str) -> (Judgement, String) {
        let name = format!(
            "tck/libvirt/bookworm,bookworm,trixie/{control}/persistent-running-undefined/{flags}"
        );
        let why = format!(
            "expected success, the {control} migration ({flags}) {HOSTS} was refused: operation failed: guest \
             CPU doesn't match specification: missing features: pcommit (error code 9, domain 31)"
        );
        (judgement(&name), why)
    }

    #[test]
    fn a_refusal_is_the_same_whatever_the_method_the_flags_and_the_versions() {
        let (one, why) = refused("live+undefine+persist", "p2p");
        let first = gist(&one, &why);
        for (flags, control) in [("none", "normal"), ("none", "tunnelled"), ("live", "p2p")] {
            let (other, why) = refused(flags, control);
            assert_eq!(gist(&other, &why), first);
            assert_eq!(gist(&other, &why.replace("10.0.13", "10.0.14")), first);
            assert_ne!(gist(&other, &why.replace("pcommit", "pks")), first);
            assert_ne!(gist(&other, &why.replace("code 9", "code 1")), first);
        }
    }

    #[test]
    fn what_tells_of_a_failure_is_what_was_seen_and_no_number() {
        let (one, why) = refused("none", "normal");
        let refusal =
            "operation failed: guest CPU doesn't match specification: missing features: pcommit";
        for (why, told) in [
            (why.as_str(), refusal),
            ("page 5 is of the older lap", "is of the older lap"),
            (
                "expected paused after the migration, the destination (trixie, libvirt 11.3.0, QEMU 10.0.13) says \
                 active, running (migrated)",
                "says active, running (migrated)",
            ),
            (
                "the daemon of the destination (trixie, QEMU 10.0.13) is another process: it was 49, and is 327",
                "is another process: it was",
            ),
            (
                "expected 4 channels, the destination (trixie, QEMU 10.0.13) had 0",
                "channels, the destination",
            ),
        ] {
            let all = telling(&one, why);
            assert_eq!(all.first(), Some(&told), "{why}");
            assert!(all.iter().all(|part| why.contains(part)), "{all:?}");
        }
    }

    #[test]
    fn events_that_are_wrong_are_the_same_whatever_others_the_case_has() {
        let (one, _) = refused("none", "normal");
        let told = |host: &str, model: &str| {
            format!(
                "the life-cycle events are not the documented ones: the source ({host}): expected suspended, came no \
                 event; the model is {model}; seen were none; the destination ({host}): defined (added) is not \
                 expected; the model is {model}; seen were none"
            )
        };
        let gist = |text: String| gist(&one, &text);
        let first = gist(told("sid, QEMU 11.1.3", "stopped (migrated)"));
        assert_eq!(
            first,
            "the life-cycle events are not the documented ones: the source # : expected suspended, came no event # ; \
             the destination # : defined (added) is not expected #"
        );
        assert_eq!(
            first,
            gist(told(
                "trixie, QEMU 10.0.13",
                "suspended (migrated), stopped (migrated)"
            ))
        );
    }

    #[test]
    fn a_text_loses_the_versions_of_its_hosts_alone() {
        let text = "the guest (a) stands on the destination (sid, QEMU 11.1.3): it was running";
        assert_eq!(
            without_hosts(text),
            "the guest (a) stands on the destination: it was running"
        );
    }
}
