//! The timeline as SVG.

use maud::{Markup, html};
use migratrix_history::History;

use super::{Chart, End, Lane, Mark, MarkKind, Status, Step, scale::Scale};

/// Where the axis begins and ends; left of it are the names of the steps.
const LEFT: f64 = 290.0;
const RIGHT: f64 = 910.0;
const WIDTH: f64 = 980.0;
/// The height of a line.
const LINE: f64 = 17.0;
/// How far apart the moments at the axis are told, and how wide a character is; those of a step that went
/// wrong are bold.
const APART: f64 = 62.0;
const CHARACTER: f64 = 6.1;
const BOLD: f64 = 6.8;
/// How far a text is from what it belongs to.
const GAP: f64 = 8.0;
/// How much of a text is drawn, in characters: of a name what has room left of the axis, whichever its
/// letters are.
const NAME: usize = 41;
const MARK: usize = 48;
const _: () = assert!(NAME as f64 * BOLD + GAP <= LEFT, "names have room");

/// The timeline of an attempt, and below it the steps that did not end as they should.
pub fn timeline(history: &History) -> Markup {
    let chart = Chart::of(history);
    html! {
        figure.timeline {
            div.scroll tabindex="0" { (picture(&chart)) }
            figcaption {
                "Time goes by the numbers at the axis: long waits are drawn shorter than they were. "
                "● event · ■ state · ▲ the guest's laps · ✗ trouble"
            }
        }
        @for (step, why) in chart.troubles() {
            p.step { b { (sign(&step.end)) " " (step.text) } " (" (time(step.began)) "): " (why) }
        }
    }
}

fn picture(chart: &Chart) -> Markup {
    let steps = chart.steps.iter();
    let moments = steps
        .flat_map(|step| [step.began, step.ended])
        .chain([chart.end]);
    let scale = Scale::of(moments, LEFT, RIGHT);
    let source = Drawn::of(&chart.source, &scale);
    let destination = Drawn::of(&chart.destination, &scale);
    #[expect(
        clippy::cast_precision_loss,
        reason = "an attempt has some dozens of steps"
    )]
    let below = LINE * (chart.steps.len() as f64 + 2.0);
    let middle = below + source.height + LINE;
    let height = middle + destination.height + LINE;
    let told = format!(
        "Timeline: {} steps in {}",
        chart.steps.len(),
        time(chart.end)
    );
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height:.0}")) role="img" aria-label=(told) {
            (ticks(&scale, height))
            @for (place, step) in chart.steps.iter().enumerate() { (draw_step(step, place, &scale)) }
            (source.at("source", below))
            (destination.at("destination", middle))
        }
    }
}

fn ticks(scale: &Scale, height: f64) -> Markup {
    html! {
        @for (moment, place) in scale.ticks(APART) {
            path.tick d=(format!("M{place:.1} {LINE}V{height:.0}")) {}
            text.time x=(tenth(place)) y="11" { (time(moment)) }
        }
    }
}

fn draw_step(step: &Step, place: usize, scale: &Scale) -> Markup {
    #[expect(
        clippy::cast_precision_loss,
        reason = "an attempt has some dozens of steps"
    )]
    let top = LINE * (place as f64 + 1.5);
    let (from, to) = (scale.place(step.began), scale.place(step.ended));
    let class = match step.end {
        End::Done => "done",
        End::Refused(_) => "refused",
        End::Unknown(_) => "unclear",
    };
    let lasted = time(step.ended.saturating_sub(step.began));
    html! {
        g class=(class) {
            text.name x=(LEFT - GAP) y=(tenth(top + 9.0)) { (fitted(&step.text, NAME)) }
            rect x=(tenth(from)) y=(tenth(top)) width=(tenth((to - from).max(1.5))) height="11" rx="2" {}
            text x=(tenth(to + 5.0)) y=(tenth(top + 9.0)) { (sign(&step.end)) (lasted) }
        }
    }
}

/// A side, laid out from its own top.
struct Drawn {
    height: f64,
    markup: Markup,
}

impl Drawn {
    fn of(lane: &Lane, scale: &Scale) -> Self {
        let band = if lane.statuses.is_empty() { 0.0 } else { LINE };
        let curve = if lane.progress.len() < 2 {
            0.0
        } else {
            2.0 * LINE
        };
        let top = LINE + band + curve;
        let (rows, marks) = laid_out(&lane.marks, scale);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a side has some dozens of marks"
        )]
        let height = top + LINE * (rows as f64 - 1.0).max(0.0) + 4.0;
        let markup = html! {
            @for status in &lane.statuses { (draw_status(status, scale)) }
            @if curve > 0.0 { (draw_progress(&lane.progress, LINE + band, scale)) }
            @for (mark, row) in marks { (draw_mark(mark, row, top, scale)) }
        };
        Self { height, markup }
    }

    fn at(&self, name: &str, top: f64) -> Markup {
        html! {
            g transform=(format!("translate(0 {top:.1})")) {
                path.side d=(format!("M0 0H{WIDTH}")) {}
                text.lane x="0" y="13" { (name) }
                (self.markup)
            }
        }
    }
}

/// The marks, each in the first row in which its text has room; and how many rows there are.
fn laid_out<'m>(marks: &'m [Mark], scale: &Scale) -> (usize, Vec<(&'m Mark, usize)>) {
    let mut ends: Vec<f64> = Vec::new();
    let mut placed = Vec::new();
    for mark in marks {
        let (begin, end) = extent(mark, scale);
        let free = ends.iter().position(|end| *end < begin);
        let row = free.unwrap_or(ends.len());
        if row == ends.len() {
            ends.push(end);
        } else {
            ends[row] = end;
        }
        placed.push((mark, row));
    }
    (ends.len(), placed)
}

/// From where to where a mark and its text go.
fn extent(mark: &Mark, scale: &Scale) -> (f64, f64) {
    let at = scale.place(mark.at);
    let width = 14.0 + width(&mark.text);
    if is_left(at, width) {
        (at - width, at + 5.0)
    } else {
        (at - 5.0, at + width)
    }
}

/// Whether a text stands left of its mark, since it has no room right of it.
fn is_left(at: f64, width: f64) -> bool {
    at + width > WIDTH
}

#[expect(clippy::cast_precision_loss, reason = "texts are cut")]
fn width(text: &str) -> f64 {
    text.chars().count().min(MARK) as f64 * CHARACTER
}

fn draw_status(status: &Status, scale: &Scale) -> Markup {
    let (from, to) = (scale.place(status.from), scale.place(status.to));
    let room = to - from > width(&status.text) + 6.0;
    html! {
        g.status {
            rect x=(tenth(from)) y="3" width=(tenth((to - from).max(1.0))) height="14" {
                title { (status.text) " from " (time(status.from)) }
            }
            @if room { text x=(tenth(from + 4.0)) y="13.5" { (short(&status.text, MARK)) } }
        }
    }
}

fn draw_progress(progress: &[(u64, f64)], top: f64, scale: &Scale) -> Markup {
    let height = 2.0 * LINE - 6.0;
    let point = |(at, share): &(u64, f64)| {
        format!(
            "{:.1},{:.1}",
            scale.place(*at),
            top + 2.0 + height * (1.0 - share)
        )
    };
    let points: Vec<_> = progress.iter().map(point).collect();
    html! {
        g.progress {
            text.name x=(LEFT - GAP) y=(tenth(top + LINE)) { "memory sent" }
            polyline points=(points.join(" ")) {}
        }
    }
}

fn draw_mark(mark: &Mark, row: usize, top: f64, scale: &Scale) -> Markup {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a side has some dozens of marks"
    )]
    let base = top + LINE * row as f64 + 10.0 - LINE + 4.0;
    let at = scale.place(mark.at);
    let (class, sign) = match mark.kind {
        MarkKind::Event => ("event", "●"),
        MarkKind::State => ("state", "■"),
        MarkKind::Laps => ("laps", "▲"),
        MarkKind::Trouble => ("trouble", "✗"),
    };
    let is_left = is_left(at, 14.0 + width(&mark.text));
    let (x, anchor) = if is_left {
        (at - 7.0, "end")
    } else {
        (at + 7.0, "start")
    };
    html! {
        g class=(class) {
            text.sign x=(tenth(at)) y=(tenth(base)) { (sign) title { (time(mark.at)) } }
            text x=(tenth(x)) y=(tenth(base)) text-anchor=(anchor) { (fitted(&mark.text, MARK)) }
        }
    }
}

const fn sign(end: &End) -> &'static str {
    match end {
        End::Done => "",
        End::Refused(_) => "✗ ",
        End::Unknown(_) => "? ",
    }
}

/// A text that is cut at its end where it has no room; all of it is told where one points at it.
fn fitted(text: &str, most: usize) -> Markup {
    html! {
        (short(text, most))
        @if text.chars().count() > most { title { (text) } }
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn tenth(place: f64) -> String {
    format!("{place:.1}")
}

/// A moment, or how long something took.
fn time(us: u64) -> String {
    match us {
        0 => "0".to_owned(),
        1..=999 => format!("{us} µs"),
        1_000..=999_999 => format!("{} ms", us / 1_000),
        1_000_000.. => format!("{}.{:02} s", us / 1_000_000, us % 1_000_000 / 10_000),
    }
}
