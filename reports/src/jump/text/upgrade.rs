//! An upgrade by the steps of a ladder as text.

use migratrix_matrix::ReleaseName;

use super::{arrow, conditions, put, wide};
use crate::{
    jump::{Gap, Least, Place, Safety, Span, StandIn, Step, Upgrade},
    terminal::count,
};

pub(super) fn steps(text: &mut String, upgrade: &Upgrade) {
    let names: Vec<_> = upgrade.way.iter().map(|place| &place.name).collect();
    let count = count(names.len() - 1, "step");
    put(
        text,
        &format!("{}, in {count}: {}", upgrade.ladder, arrow(names)),
    );
    put(text, "");
    let widths = upgrade
        .way
        .iter()
        .map(|one| (wide(&one.titled()), wide(&one.least.told())));
    let widths = widths.fold((0, 0), |(name, least), (one, other)| {
        (name.max(one), least.max(other))
    });
    upgrade.way.iter().for_each(|one| place(text, one, widths));
    let (way, others): (Vec<_>, Vec<_>) = upgrade.steps.iter().partition(|step| step.on_way);
    way.into_iter().for_each(|one| step(text, one));
    if others.is_empty() {
        return;
    }
    put(text, "\nalso allowed, by more steps");
    for one in others {
        let tried = summary(&one.standing);
        put(text, &format!("  {}: {tried}", arrow([&one.from, &one.to])));
    }
}

fn place(text: &mut String, place: &Place, (name, least): (usize, usize)) {
    let takes: Vec<_> = place.takes.iter().map(ReleaseName::as_str).collect();
    let takes = if takes.is_empty() {
        "none of the runs".to_owned()
    } else {
        takes.join(", ")
    };
    let (titled, demands) = (place.titled(), place.least.told());
    put(
        text,
        &format!("{titled:name$}  {demands:least$}  takes {takes}"),
    );
}

impl Place {
    fn titled(&self) -> String {
        let note = self.note.as_ref();
        let note = note.map_or(String::new(), |note| format!(" ({note})"));
        format!("{}{note}", self.name)
    }
}

impl Least {
    fn told(self) -> String {
        let programs = [("libvirt", self.libvirt), ("QEMU", self.qemu)].into_iter();
        let told = programs.filter_map(|(name, least)| Some(format!("{name} >= {}", least?)));
        told.collect::<Vec<_>>().join(", ")
    }
}

fn step(text: &mut String, step: &Step) {
    put(
        text,
        &format!(
            "\n{}: {}",
            arrow([&step.from, &step.to]),
            summary(&step.standing)
        ),
    );
    let (safe, not): (Vec<_>, Vec<_>) = step
        .standing
        .iter()
        .partition(|one| one.safety == Safety::Safe);
    let pair = |one: &&StandIn| arrow([&one.source, &one.destination]);
    if !safe.is_empty() {
        let pairs: Vec<_> = safe.iter().map(pair).collect();
        put(text, &format!("  safe: {}", pairs.join(", ")));
    }
    for one in not {
        let (pair, safety) = (pair(&one), one.safety.words());
        put(text, &format!("  {safety}: {pair}, {}", one.cases.told()));
        conditions(&one.avoid, &one.left_over)
            .iter()
            .for_each(|told| put(text, &format!("    {told}")));
    }
    let pairs: Vec<_> = step.untested.iter().map(arrow).collect();
    let pairs = (!pairs.is_empty()).then(|| pairs.join(", "));
    for untested in pairs.into_iter().chain(step.gaps.iter().map(Gap::told)) {
        put(text, &format!("  untested: {untested}"));
    }
}

/// How many jumps stand for a step, and how they are.
fn summary(standing: &[StandIn]) -> String {
    let all = [
        Safety::Safe,
        Safety::Conditional,
        Safety::Unclear,
        Safety::Untested,
        Safety::NotSafe,
    ];
    let told = all.into_iter().filter_map(|safety| {
        let count = standing.iter().filter(|one| one.safety == safety).count();
        (count > 0).then(|| format!("{count} {}", safety.words()))
    });
    let told: Vec<_> = told.collect();
    match standing.len() {
        0 => "untested, as no jump that was tried stands for it".to_owned(),
        1 => format!("1 jump stands for it, {}", told.join(", ")),
        several => format!("{several} jumps stand for it, {}", told.join(", ")),
    }
}

impl Gap {
    fn told(&self) -> String {
        let span = |(program, span): (&str, &Option<Span>)| {
            let Span { from, before } = span.as_ref()?;
            Some(format!("{program} from {from} to before {before}"))
        };
        let spans = [("libvirt", &self.libvirt), ("QEMU", &self.qemu)].into_iter();
        let spans: Vec<_> = spans.filter_map(span).collect();
        format!("{} with {}", self.side, spans.join(" or "))
    }
}
