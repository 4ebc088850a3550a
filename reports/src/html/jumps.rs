//! Which jumps between releases are not safe, with what must be avoided and the ladder of safe steps,
//! drawn; and where two steps say another thing than the jump over both.

use maud::{Markup, html};

use crate::{Jump, Jumps, Run, Safety, explain::NO_QEMU, terminal::count};

/// The distance between two stops, the line that they are on, and how high a step is drawn.
const APART: f64 = 150.0;
const LINE: f64 = 62.0;
const HEIGHT: f64 = 124.0;

/// The jumps of a run; nothing where it has one pair of releases, or they tell of none.
pub fn jumps(run: &Run) -> Markup {
    let several = run.pairs().len() > 1;
    let jumps = several.then(|| Jumps::of(&[run]).ok()).flatten();
    let Some(jumps) = jumps else {
        return html! {};
    };
    let untried = jumps.jumps.len() - jumps.tried().count();
    let not = jumps.tried().filter(|one| one.safety != Safety::Safe);
    html! {
        section #jumps {
            h2 { "Jumps" }
            p { (jumps.in_short())
                @if untried > 0 { " " (count(untried, "more pair")) " of these releases had nothing tried." } }
            @if jumps.in_memory { p { (NO_QEMU) } }
            @for line in jumps.remarks() { p.mute { (line) } }
            @for jump in not { (told(jump, &jumps)) "\n" }
            @if !jumps.breaks.is_empty() {
                h4 { "Two steps say another thing than the jump over both" }
                ul { @for one in &jumps.breaks { li { (one.told()) } } }
            }
        }
    }
}

fn told(jump: &Jump, all: &Jumps) -> Markup {
    html! {
        div.group.(class(jump.safety)) {
            p { b { (jump.pair()) } ": " (jump.safety.words()) ", " (jump.cases.told()) }
            ul { @for line in jump.advice() { li { (line) } } }
            @if let Some(steps) = &jump.ladder {
                (drawn(jump, &places(all, steps.iter().map(|one| one.as_str()))))
            }
        }
    }
}

const fn class(safety: Safety) -> &'static str {
    match safety {
        Safety::Safe => "passed",
        Safety::Conditional | Safety::Unclear => "unknown",
        Safety::Untested => "skipped",
        Safety::NotSafe => "failed",
    }
}

/// A stop of a ladder: its name, and its place among the stops by their versions.
type Stop<'n> = (&'n str, f64);

/// The steps of a ladder, each with its place among all of its stops.
fn places<'n>(jumps: &Jumps, steps: impl Iterator<Item = &'n str>) -> Vec<Stop<'n>> {
    let steps: Vec<_> = steps.collect();
    let stops = jumps.releases.iter().map(|stop| stop.name.as_str());
    let stops: Vec<_> = stops.filter(|name| steps.contains(name)).collect();
    let place = |step: &str| {
        let before = stops.iter().take_while(|stop| **stop != step);
        before.fold(APART / 2.0, |place, _| place + APART)
    };
    steps.iter().map(|step| (*step, place(step))).collect()
}

/// The ladder: its stops by their versions, its steps as arcs, and the direct jump as a broken one. What
/// goes to newer versions is above the line, what goes back below it.
fn drawn(jump: &Jump, stops: &[Stop<'_>]) -> Markup {
    let width = stops
        .iter()
        .fold(0.0_f64, |width, (_, place)| width.max(place + APART / 2.0));
    let ends = stops.first().zip(stops.last());
    let steps = stops.iter().zip(stops.iter().skip(1));
    let label = format!("{}: {}", jump.pair(), jump.advice().join("; "));
    html! {
        svg.ladder viewBox=(format!("0 0 {width} {HEIGHT}")) width=(width) role="img" aria-label=(label) {
            @if let Some(((_, from), (_, to))) = ends {
                (arc("direct", *from, *to, 46.0))
                text.direct x=((from + to) / 2.0) y=(if from < to { 10.0 } else { HEIGHT - 4.0 }) {
                    (jump.safety.words())
                }
            }
            @for ((_, from), (_, to)) in steps { (arc("step", *from, *to, 18.0)) }
            @for (name, place) in stops {
                circle cx=(place) cy=(LINE) r="5" {}
                text x=(place) y=(LINE + 28.0) { (name) }
            }
        }
    }
}

/// An arc from one stop to another, with its head.
fn arc(class: &str, from: f64, to: f64, height: f64) -> Markup {
    let up = if from < to { -1.0 } else { 1.0 };
    let (begin, end) = (LINE + up * 7.0, LINE + up * 8.0);
    let (control, head) = (LINE + up * (2.0 * height), end + up * 8.0);
    let middle = (from + to) / 2.0;
    html! {
        path.(class) d=(format!("M{from} {begin}Q{middle} {control} {to} {end}")) {}
        path.head.(class) d=(format!("M{} {head}L{to} {end}L{} {head}Z", to - 4.0, to + 4.0)) {}
    }
}
