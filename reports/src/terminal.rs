//! The summary for a terminal or a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
};

use anstyle::{AnsiColor, Style};
use migratrix_matrix::{
    Axis, Backend, Case, Column, Condition, Control, HostSetup, Suite, axes, scope,
};

use crate::{
    Flaw, Group, Judgement, Kind, KnownAre, Route, Run, Standing,
    attribution::origins,
    blocks::blocks,
    explain::setup_words,
    go::{Reach, Sign, Tells, of_hosts},
    groups,
    printable::{printable, shortened, within_line},
    recovered,
};

/// Whether the text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// By ANSI escape sequences.
    Ansi,
    /// Not at all.
    Plain,
}

/// How many cases of a group are named.
pub(crate) const EXAMPLES: usize = 3;

/// The whole summary: the counts, the table by tuple, and each trouble explained.
#[must_use]
pub fn terminal(run: &Run, colour: Colour) -> String {
    terminal_within(run, colour, None)
}

/// The same, with tables that are no wider than so many columns: what does not fit stands in blocks of whole
/// columns below.
#[must_use]
pub fn terminal_within(run: &Run, colour: Colour, room: Option<usize>) -> String {
    let mut text = String::new();
    table(&mut text, run, colour, room);
    recovered(&mut text, run, room);
    let groups = groups(run, &LAST_IS_WORST);
    for group in &groups {
        explain(&mut text, run, group, colour);
    }
    deaths(&mut text, run, colour);
    remarks(&mut text, run);
    counts(&mut text, run, &groups, colour);
    text
}

/// What is explained: the worst stands last, where a terminal shows it.
const LAST_IS_WORST: [Standing; 5] = [
    Standing::KnownFailure,
    Standing::Unknown,
    Standing::UnexpectedPass,
    Standing::FailedAtFirst,
    Standing::Failed,
];

/// What was left of struck migrations.
fn recovered(text: &mut String, run: &Run, room: Option<usize>) {
    let lines = recovered::text(run, room);
    if !lines.is_empty() {
        put(text, "");
    }
    for line in lines {
        put(text, &line);
    }
}

/// The tables: one for each kind of cases, a row for each route.
fn table(text: &mut String, run: &Run, colour: Colour, room: Option<usize>) {
    let (managed, direct): (Rows<'_>, Rows<'_>) = run
        .by_route()
        .into_iter()
        .partition(|(route, _)| route.client.is_some());
    let titles = ["client: source → destination", "source → destination"];
    for (title, rows) in titles.into_iter().zip([managed, direct]) {
        if !rows.is_empty() {
            let table = Table::of(run, title, &rows);
            table.put(text, colour, room);
        }
    }
}

/// The judgements of each route.
pub(crate) type Rows<'r> = Vec<(Route<'r>, Vec<&'r Judgement>)>;

/// A table: the name of each row with its cells, below the heads of the columns.
struct Table<'t> {
    title: &'t str,
    columns: Vec<&'static str>,
    rows: Vec<(String, Vec<Cell>)>,
}

impl<'t> Table<'t> {
    fn of(run: &Run, title: &'t str, rows: &Rows<'_>) -> Self {
        let columns = columns(rows);
        let row = |(route, judgements): &(Route<'_>, Vec<&Judgement>)| {
            let cells = columns.iter().map(|head| cell(run, head, judgements));
            (route.to_string(), cells.collect())
        };
        Self {
            title,
            rows: rows.iter().map(row).collect(),
            columns,
        }
    }

    /// Puts it in blocks. Those in which there is no case are left out, and told in a line.
    fn put(&self, text: &mut String, colour: Colour, room: Option<usize>) {
        let Self {
            title,
            columns,
            rows,
        } = self;
        let names = rows.iter().map(|(name, _)| name.as_str());
        let names = names.chain([*title]).map(|name| name.chars().count());
        let width = names.max().unwrap_or(0);
        let widths = columns.iter().enumerate();
        let cells = |place: usize| rows.iter().map(move |(_, cells)| &cells[place]);
        let widths = widths.map(|(place, head)| column_width(head, cells(place)));
        let widths: Vec<usize> = widths.collect();
        let is_empty = |at: usize| cells(at).all(|cell| cell.worst.is_none());
        let mut empty: Vec<&str> = Vec::new();
        for block in blocks(width, &widths, room) {
            if block.clone().all(is_empty) {
                empty.extend(&columns[block]);
                continue;
            }
            let own = columns[block.clone()].iter().zip(&widths[block.clone()]);
            let heads: String = own.map(|(head, width)| format!("{head:>width$}")).collect();
            put(text, &format!("{title:width$}{heads}"));
            for (name, row) in rows {
                let own = row[block.clone()].iter().zip(&widths[block.clone()]);
                let cells: String = own
                    .map(|(cell, width)| cell.shown(*width, colour))
                    .collect();
                put(text, &format!("{name:width$}{cells}"));
            }
        }
        if !empty.is_empty() {
            put(text, &format!("no case by {}", empty.join(", ")));
        }
    }
}

/// What stands in a cell of a table, and the worst in it.
pub(crate) struct Cell {
    pub(crate) told: String,
    worst: Option<Standing>,
}

/// The narrowest column, and the space before what fills a wider one.
const COLUMN: usize = 13;
const GAP: usize = 3;

fn column_width<'c>(head: &str, cells: impl Iterator<Item = &'c Cell>) -> usize {
    let told = cells.map(|cell| cell.told.chars().count());
    let widest = told.chain([head.chars().count()]).max().unwrap_or(0);
    COLUMN.max(widest + GAP)
}

impl Cell {
    fn shown(&self, width: usize, colour: Colour) -> String {
        let told = format!("{:>width$}", self.told);
        match self.worst {
            Some(worst) => paint(&told, worst, colour),
            None => told,
        }
    }
}

/// The heads of the columns that these rows need: every control method where one is there, and what
/// is there of the others, the suites last.
pub(crate) fn columns(rows: &Rows<'_>) -> Vec<&'static str> {
    let cases = rows.iter().flat_map(|(_, judgements)| judgements);
    let there: BTreeSet<_> = cases.map(|one| one.case.point.column()).collect();
    let managed = there.iter().any(|(axis, _)| *axis == Control::NAME);
    let needed = |column: &Column| there.contains(column) || managed && column.0 == Control::NAME;
    let (suites, others): (Vec<_>, Vec<_>) = axes().partition(|axis| axis.name == Suite::NAME);
    let all = others.into_iter().chain(suites);
    let all = all.flat_map(|axis| axis.words.iter().map(|(word, _)| (axis.name, *word)));
    all.filter(needed).map(|(_, word)| word).collect()
}

/// `31/32` of the cases that were tried passed; the sign tells the worst without colour.
pub(crate) fn cell(run: &Run, head: &str, judgements: &[&Judgement]) -> Cell {
    let of = judgements
        .iter()
        .filter(|one| one.case.point.column().1 == head);
    match share(run, of.copied()) {
        Some(share) => Cell {
            told: format!("{} {share}", sign(share.worst)),
            worst: Some(share.worst),
        },
        None => Cell {
            told: "–".to_owned(),
            worst: None,
        },
    }
}

/// How many of some cases passed, of those that were tried, and the worst of them. A known failure is
/// no pass: it is counted by itself.
pub(crate) struct Share {
    pub worst: Standing,
    pub passed: usize,
    pub known: usize,
    pub tried: usize,
    pub skipped: usize,
}

/// The share of the cases, if there are any. Where a host was lost under one of them, or a first
/// attempt was wrong, the worst is no better than that, whatever came of it in the end. What is known to fail
/// stands as the run's rules say.
pub(crate) fn share<'j>(
    run: &Run,
    judgements: impl Iterator<Item = &'j Judgement> + Clone,
) -> Option<Share> {
    let standings: Vec<_> = judgements.clone().map(Judgement::standing).collect();
    let ranked = standings.iter().map(|one| match one {
        Standing::KnownFailure => run.rules().of_known(),
        Standing::Skipped
        | Standing::Passed
        | Standing::Unknown
        | Standing::UnexpectedPass
        | Standing::FailedAtFirst
        | Standing::Failed => *one,
    });
    let mut worst = ranked.max()?;
    if judgements.into_iter().any(|one| run.was_shaken(one)) {
        worst = worst.max(Standing::FailedAtFirst);
    }
    let count = |of| standings.iter().filter(|one| **one == of).count();
    let skipped = count(Standing::Skipped);
    Some(Share {
        worst,
        passed: count(Standing::Passed),
        known: count(Standing::KnownFailure),
        tried: standings.len() - skipped,
        skipped,
    })
}

/// `60/116, 56 known`; `4 skipped` where nothing was tried.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tried == 0 {
            return write!(f, "{} skipped", self.skipped);
        }
        write!(f, "{}/{}", self.passed, self.tried)?;
        match self.known {
            0 => Ok(()),
            known => write!(f, ", {known} known"),
        }
    }
}

fn explain(text: &mut String, run: &Run, group: &Group<'_>, colour: Colour) {
    let count = cases(group.cases.len());
    let condition = group
        .condition
        .map_or(String::new(), |one| format!("{one}, "));
    let head = format!(
        "{} {}: {condition}{count}",
        sign(group.standing),
        group.standing.word()
    );
    put(text, "");
    put(text, &paint(&head, group.standing, colour));
    put(text, &format!("  {}", group.why));
    if let Some(said) = group.said() {
        put(text, &format!("  {}", printable(&said)));
    }
    known(text, group);
    // A single case is named below.
    if let Some((these, shared)) = group.apart().filter(|_| group.sharing > 1) {
        put(text, &format!("  {these} {shared}"));
    }
    also(text, group);
    whose(text, run, group);
    for (place, judgement) in group.cases.iter().take(EXAMPLES).enumerate() {
        put(text, &format!("  {}", run.again(&judgement.case)));
        if let Some(log) = &judgement.log {
            put(
                text,
                &format!("    history: {}", within_line(&judgement.at_home(log))),
            );
        }
        let is_news = group.standing != Standing::KnownFailure;
        evidence(text, judgement, place == 0 && is_news);
    }
    more(text, group.cases.len());
}

/// The evidence of a case: `each` file with what it shows, or the folder that they are in.
fn evidence(text: &mut String, judgement: &Judgement, each: bool) {
    if each {
        for one in &judgement.evidence {
            let (shows, file) = (
                printable(&one.shows),
                within_line(&judgement.at_home(&one.file)),
            );
            put(text, &format!("    {shows}: {file}"));
        }
        return;
    }
    let first = judgement.evidence.first();
    if let Some((folder, _)) = first.and_then(|one| one.file.rsplit_once('/')) {
        let files = count(judgement.evidence.len(), "file");
        let folder = within_line(&judgement.at_home(folder));
        put(text, &format!("    evidence: {folder} ({files})"));
    }
}

/// Where one can read of a known failure, and how long it is excused.
fn known(text: &mut String, group: &Group<'_>) {
    let Some(known) = group.known else {
        return;
    };
    if let Some(link) = &known.link {
        put(text, &format!("  see {link}"));
    }
    if let Some(day) = &known.expires {
        let excused = if known.expired {
            "was excused until"
        } else {
            "is excused until"
        };
        put(text, &format!("  {excused} {day}"));
    }
}

/// The hosts that died, and the cases that were on them.
fn deaths(text: &mut String, run: &Run, colour: Colour) {
    for death in run.deaths() {
        let standing = run.rules().of_a_death();
        let head = format!("{} {}", sign(standing), printable(&death.told()));
        put(text, &format!("\n{}", paint(&head, standing, colour)));
        let end = if death.cases.is_empty() { "" } else { ":" };
        put(text, &format!("  {}{end}", death.on_it()));
        for case in death.cases.iter().take(EXAMPLES) {
            put(text, &format!("  {}", run.again(case)));
        }
        more(text, death.cases.len());
    }
}

/// How many cases are not named.
fn more(text: &mut String, count: usize) {
    if let Some(more) = count.checked_sub(EXAMPLES).filter(|more| *more > 0) {
        put(text, &format!("  and {} more", cases(more)));
    }
}

/// The conditions that failed with it, and those that could not be seen.
fn also(text: &mut String, group: &Group<'_>) {
    let Some(own) = group.condition else { return };
    for (head, kind) in [
        ("also failing", Kind::Fail),
        ("also unknown", Kind::Unknown),
    ] {
        let troubles = group.cases.iter().flat_map(|one| one.troubles());
        let others = troubles.filter(|(condition, it)| *condition != own && it.kind() == kind);
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for (condition, _) in others {
            *counts.entry(condition).or_default() += 1;
        }
        let counts = counts.iter();
        let listed: Vec<_> = counts
            .map(|(one, count)| format!("{one} ({count})"))
            .collect();
        if !listed.is_empty() {
            put(text, &format!("  {head}: {}", listed.join(", ")));
        }
    }
}

/// Whose failures they are, by the raw cases beside them.
fn whose(text: &mut String, run: &Run, group: &Group<'_>) {
    for (count, first) in origins(&group.cases).into_values() {
        put(text, &format!("  {first} ({})", cases(count)));
        put(text, &format!("    {}", run.again(&first.raw)));
    }
}

fn remarks(text: &mut String, run: &Run) {
    flaky(text, run);
    missing(text, run);
    if !run.unused_known().is_empty() {
        put(
            text,
            "\nknown failures that no case of this run is subject to:",
        );
        run.unused_known()
            .iter()
            .for_each(|one| put(text, &format!("  {one}")));
    }
}

/// What came out as it should only when it was tried again, each with what was wrong at first. What
/// fails the run is explained already.
fn flaky(text: &mut String, run: &Run) {
    let told = |(last, flaws): &(&Judgement, Vec<Flaw>)| {
        let fails = !last.flaws.is_empty();
        let why = flaws
            .first()
            .map_or("it could not be seen", |flaw| &flaw.why);
        (!fails).then(|| format!("  {}: {}", last.case, printable(why)))
    };
    let flaky: Vec<_> = run.flaky().filter_map(|one| told(&one)).collect();
    if flaky.is_empty() {
        return;
    }
    let count = cases(flaky.len());
    put(
        text,
        &format!("\n{count} as expected only when tried again:"),
    );
    flaky.iter().for_each(|line| put(text, line));
}

fn missing(text: &mut String, run: &Run) {
    let shards = run.missing_shards();
    if !shards.is_empty() {
        let told: Vec<_> = shards.iter().map(ToString::to_string).collect();
        let of = if shards.len() == 1 {
            "a shard is"
        } else {
            "shards are"
        };
        put(text, &format!("\n{of} missing: {}", told.join(", ")));
    }
    let missing: Vec<_> = run.missing().collect();
    if let Some(first) = missing.first() {
        let count = cases(missing.len());
        put(
            text,
            &format!("\n{count} planned and without a verdict, the first: {first}"),
        );
    }
}

fn counts(text: &mut String, run: &Run, groups: &[Group<'_>], colour: Colour) {
    let tally = run.cases();
    let told: Vec<_> = Standing::ALL
        .iter()
        .filter_map(|standing| Some((standing, tally.get(standing)?)))
        .map(|(standing, count)| {
            let told = format!("{count} {}", standing.words(*count));
            paint(&told, *standing, colour)
        })
        .collect();
    let all = run.judgements().len();
    let (ten, whole) = (
        run.conditions(|one| one.is_one_of_the_ten()),
        run.conditions(|_| true),
    );
    let head = match Sign::of(run) {
        sign @ Sign::Untried => {
            let [_, word, _] = sign.words(Tells::of(run));
            format!("{word}: {}", headline(run))
        }
        Sign::Go | Sign::GoButKnown | Sign::NoGo | Sign::Open => headline(run),
    };
    if told.is_empty() {
        put(text, &format!("\n{head}: nothing was judged"));
        damage(run.damaged())
            .iter()
            .for_each(|line| put(text, line));
        return;
    }
    put(text, &format!("\n{head}: {}", told.join(", ")));
    at_a_glance(text, groups, colour);
    skipped(text, run, colour);
    of_hosts(run).iter().for_each(|line| put(text, line));
    if !ten.is_empty() {
        let (sum, kinds) = (sum(&ten), kinds(&ten));
        put(
            text,
            &format!(
                "{} of {}: {kinds}",
                count(sum, "post-condition"),
                cases(all)
            ),
        );
    }
    put(
        text,
        &format!(
            "{} in all: {}",
            count(sum(&whole), "condition"),
            kinds(&whole)
        ),
    );
    bounds(run).iter().for_each(|line| put(text, line));
}

/// How many groups are named beside the counts.
const GLANCE: usize = 8;
/// How many reasons are named for which cases were skipped.
const SKIPS: usize = 8;
/// How much is told there of the reason of a group that nothing sets apart, in characters.
const REASON: usize = 80;

/// Why cases were skipped, a line a reason, the most frequent one first.
fn skipped(text: &mut String, run: &Run, colour: Colour) {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let skipped = |one: &&Judgement| one.standing() == Standing::Skipped;
    for judgement in run.judgements().filter(skipped) {
        *reasons
            .entry(judgement.overall().why().to_owned())
            .or_default() += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (why, count) in reasons.iter().take(SKIPS) {
        let (sign, why) = (sign(Standing::Skipped), printable(why));
        let line = format!("  {sign} skipped: {why} ({count})");
        put(text, &paint(&line, Standing::Skipped, colour));
    }
    let more = reasons.len().checked_sub(SKIPS).filter(|more| *more > 0);
    if let Some(more) = more {
        put(text, &format!("  and {} more", count(more, "reason")));
    }
}

/// What is not as it should be, a line a group, the worst first: they are explained far above. What is
/// cut off is counted by how it stands.
fn at_a_glance(text: &mut String, groups: &[Group<'_>], colour: Colour) {
    let worst_first = LAST_IS_WORST.iter().rev();
    let all = worst_first.flat_map(|one| groups.iter().filter(move |it| it.standing == *one));
    let all: Vec<_> = all.collect();
    let (told, cut) = all.split_at(all.len().min(GLANCE));
    for group in told {
        let line = format!("  {} {}", sign(group.standing), in_a_line(group));
        put(text, &paint(&line, group.standing, colour));
    }
    if !cut.is_empty() {
        put(text, &format!("  and {} more: see above", by_standing(cut)));
    }
}

/// How many cases some groups have, by how they stand: `1 failed, 12 known failures`.
fn by_standing(groups: &[&Group<'_>]) -> String {
    let told = LAST_IS_WORST.iter().rev().filter_map(|standing| {
        let own = groups.iter().filter(|one| one.standing == *standing);
        let cases: usize = own.map(|one| one.cases.len()).sum();
        (cases > 0).then(|| format!("{cases} {}", standing.words(cases)))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// A group: its condition, and what its cases have in common, or else the reason. Where that is not theirs alone,
/// both.
fn in_a_line(group: &Group<'_>) -> String {
    let condition = group.condition.map_or("the case", Condition::word);
    let why = group.known.map_or(&group.why, |known| &known.reason);
    let short = shortened(&printable(why), REASON);
    let Some((these, shared)) = group.apart() else {
        return format!("{condition}: {}: {short}", cases(group.cases.len()));
    };
    // Where others have the same in common, that alone does not tell one group from another.
    let why = (group.sharing > group.cases.len()).then(|| format!(": {short}"));
    format!("{condition}: {these} {shared}{}", why.unwrap_or_default())
}

/// What the figures do not speak of: how the hosts were set up, and what was not tried.
pub(crate) fn bounds(run: &Run) -> Vec<String> {
    let fake = run
        .planned()
        .iter()
        .any(|case| case.backend == Backend::Fake);
    let fake = fake.then(|| {
        "no QEMU ran: this is the hypervisor in memory, which tests the tester".to_owned()
    });
    let known = run.cases().get(&Standing::KnownFailure).copied();
    let known = known.map(|count| {
        let (fail, them) = if count == 1 {
            ("fails", "a failure of it")
        } else {
            ("fail", "failures of them")
        };
        let made = match run.rules().known {
            KnownAre::Excused => "--fail-known makes",
            KnownAre::Failed => "--fail-known has made",
        };
        let count = cases(count);
        format!("{count} {fail} as the list of known failures says: {made} {them}")
    });
    let broken = run.judgements().filter(|one| one.case.fault.is_some());
    let broken = Some(broken.count()).filter(|count| *count > 0);
    let broken = broken.map(|count| {
        let each = if count == 1 { "it" } else { "each of these cases" };
        format!(
            "in {} something was broken on purpose: conditions that fail there say that it was seen, and in \
             JUnit {each} is one test case, whatever the granularity",
            cases(count)
        )
    });
    // What was skipped, or ended before anything was seen, was not tried.
    let saw = |one: &&Judgement| {
        let mut kinds = one.conditions.iter().map(|(_, verdict)| verdict.kind());
        kinds.any(|kind| matches!(kind, Kind::Pass | Kind::Fail))
    };
    let tried = run.judgements().filter(saw);
    let tried: Vec<Case> = tried.map(|one| one.case.clone()).collect();
    let all = [fake, known, broken, set_up(run), scope(&tried)];
    let all = all.into_iter().flatten().chain(untried(run));
    let partly = run.partly_known_in_a_line();
    let known = run.expired_known().iter().chain(run.expiring_known());
    let known = known.chain(&partly).map(|one| printable(one));
    damage(run.damaged())
        .into_iter()
        .chain(known)
        .chain(all)
        .collect()
}

/// How the hosts were set up, where some were otherwise than they are shipped: each case that ran on hosts is
/// counted once.
fn set_up(run: &Run) -> Option<String> {
    let setups = run.setups();
    let told = |(setup, count): (&HostSetup, &usize)| {
        let (count, words) = (cases(*count), setup_words(*setup));
        match setup {
            HostSetup::AsShipped if setups.contains_key(&HostSetup::Quick) => {
                format!("{count} as shipped, as controls or since their domains name processors")
            }
            HostSetup::AsShipped => format!("{count} as shipped"),
            HostSetup::Quick | HostSetup::Resilient => format!("{count} {setup}: {words}"),
        }
    };
    let told: Vec<_> = setups.iter().map(told).collect();
    let is_plain = setups.keys().all(|setup| *setup == HostSetup::AsShipped);
    (!is_plain).then(|| format!("hosts: {}", told.join("; ")))
}

/// Where skipped cases leave a hole: pairs of which nothing was tried, and a cover that covers less.
fn untried(run: &Run) -> Vec<String> {
    let mut pairs: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for one in run.judgements() {
        let route = Route::of(&one.case).of_nobody();
        let (all, skipped) = pairs.entry(route).or_default();
        *all += 1;
        *skipped += usize::from(one.standing() == Standing::Skipped);
    }
    let empty = pairs.iter().filter(|(_, (all, skipped))| all == skipped);
    let empty = empty
        .map(|(route, (all, _))| format!("nothing was tried of {route}: skipped {}", cases(*all)));
    let skipped: usize = pairs.values().map(|(_, skipped)| skipped).sum();
    let cover = run.strengths().filter(|_| skipped > 0).map(|strengths| {
        format!(
            "--cover {strengths} covers less than it would: {} of it skipped",
            cases(skipped)
        )
    });
    empty.chain(cover).collect()
}

/// The first of what is not believed of runs' files, and how many more there are.
#[must_use]
pub fn damage(all: &[String]) -> Vec<String> {
    let told = all.iter().take(EXAMPLES).map(|one| printable(one));
    let mut told: Vec<_> = told.collect();
    if let Some(more) = all.len().checked_sub(EXAMPLES).filter(|more| *more > 0) {
        let are = if more == 1 { "is" } else { "are" };
        told.push(format!(
            "and {} that {are} damaged",
            count(more, "more line")
        ));
    }
    told
}

/// How much was tried, and in what time. A run that is not whole says so first, and a whole one of which
/// pairs were not tried.
pub(crate) fn headline(run: &Run) -> String {
    let reach = Reach::of(run).filter(|_| is_whole(run));
    let reach = reach.map_or(String::new(), |reach| format!("{}, ", reach.told()));
    format!("{reach}{}", extent(run))
}

fn is_whole(run: &Run) -> bool {
    run.missing().next().is_none() && run.missing_shards().is_empty() && !run.is_under_way()
}

/// How many cases there are, and in what time. A run that is not whole says so first.
pub(crate) fn extent(run: &Run) -> String {
    let (judged, missing) = (run.judgements().len(), run.missing().count());
    let time = if judged == 0 {
        String::new()
    } else {
        format!(" in {}", seconds(run.elapsed_ms()))
    };
    let whole = run.whole().max(judged + missing);
    let shard = run.shard().map_or(String::new(), |shard| {
        format!("shard {} of {}: ", shard.index, shard.count)
    });
    let cover = run.cover().map_or(String::new(), |(strengths, fewest)| {
        let fewest = cases(fewest);
        format!(" (--cover {strengths}: {fewest} of the pair that has the fewest)")
    });
    let caveat = run.caveat().map(|told| format!(" ({told})"));
    let how = format!("{cover}{}{time}", caveat.unwrap_or_default());
    if !is_whole(run) {
        return format!("{shard}incomplete: {judged} of {}{how}", cases(whole));
    }
    if shard.is_empty() {
        return format!("{}{how}", cases(judged));
    }
    format!("{shard}{judged} of {}{how}", cases(whole))
}

/// So many of something, in words that are right for one as well.
pub(crate) fn count(number: usize, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}

fn sum(tally: &BTreeMap<Kind, usize>) -> usize {
    tally.values().sum()
}

fn kinds(tally: &BTreeMap<Kind, usize>) -> String {
    let told: Vec<_> = tally
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.word()))
        .collect();
    told.join(", ")
}

pub(crate) fn cases(number: usize) -> String {
    count(number, "case")
}

/// A time for people.
pub(crate) fn seconds(ms: u64) -> String {
    let tenths = (ms + 50) / 100;
    match tenths / 10 {
        whole @ 0..=59 => format!("{whole}.{} s", tenths % 10),
        whole @ 60..=3_599 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

pub(crate) const fn sign(standing: Standing) -> &'static str {
    match standing {
        Standing::Passed => "✓",
        Standing::KnownFailure => "~",
        Standing::Skipped => "-",
        Standing::Unknown => "?",
        Standing::UnexpectedPass => "!",
        Standing::FailedAtFirst => "±",
        Standing::Failed => "✗",
    }
}

fn paint(text: &str, standing: Standing, colour: Colour) -> String {
    let hue = match standing {
        Standing::Passed => AnsiColor::Green,
        Standing::KnownFailure => AnsiColor::Blue,
        Standing::Skipped => AnsiColor::Cyan,
        Standing::Unknown => AnsiColor::Yellow,
        Standing::UnexpectedPass => AnsiColor::Magenta,
        Standing::Failed | Standing::FailedAtFirst => AnsiColor::Red,
    };
    let style = match colour {
        Colour::Ansi => hue.on_default(),
        Colour::Plain => Style::new(),
    };
    format!("{style}{text}{style:#}")
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes every text");
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_below_a_minute_is_that_of_the_nearest_tenth() {
        let told = [0, 49, 91, 488, 59_949, 59_950, 3_599_000].map(seconds);
        let whole = [
            "0.0 s",
            "0.0 s",
            "0.1 s",
            "0.5 s",
            "59.9 s",
            "1 min 0 s",
            "59 min 59 s",
        ];
        assert_eq!(told, whole);
    }
}
