//! What else a cause could be, and the row that would tell.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use crate::{
    Literal, Table,
    candidates::{Belief, CHANCE, Candidate, number, whole},
    seen::Seen,
    turned::Turned,
};

/// Something that a cause could be, by what is known.
#[derive(Clone, Debug)]
pub(crate) struct Hypothesis {
    /// Its literals; none where nothing but chance accounts for the failures.
    pub literals: Option<Vec<Literal>>,
    /// What stands beside it in the place of others of the causes, where it can be so with them alone.
    pub with: Vec<Vec<Literal>>,
    /// The rows that it says must fail, beside what the other causes say.
    pub region: FixedBitSet,
    /// How likely it is.
    pub share: f64,
    /// Whether it says the same as the cause itself.
    pub is_own: bool,
}

/// How much less likely than the best one a hypothesis may be, as the logarithm.
const FAR: f64 = 9.0;
/// How many are weighed.
const WEIGHED: usize = 300;
/// How likely the best one has to be to count as settled.
pub(crate) const SETTLED: f64 = 0.97;
/// How often a row is tried at most: none again while another that was not tried would tell.
const TRIED: u32 = 3;
/// How near to 0 or 1 the answer may be that is expected of a question that is worth asking.
const WORTH_ASKING: f64 = 0.01;

/// What hypotheses are made by.
pub(crate) struct Known<'k> {
    pub table: &'k Table,
    pub seen: &'k Seen,
    /// All candidates.
    pub all: &'k [Candidate],
    /// Those that were chosen as causes.
    pub chosen: &'k [Candidate],
    /// Of each of these the other choices that are as good.
    pub turned: &'k [Vec<Turned>],
    pub belief: Belief,
}

/// What the other causes leave to one.
struct Own {
    /// The failures that it alone accounts for.
    fails: FixedBitSet,
    /// The passes that no other contradicts.
    passes: FixedBitSet,
    /// The rows of the others.
    others: FixedBitSet,
}

/// What the cause at `place` of `chosen` could be instead, the likeliest first. Those that say the
/// same of every row are one.
pub(crate) fn hypotheses(known: &Known<'_>, place: usize) -> Vec<Hypothesis> {
    let (table, own) = (known.table, Own::of(known, place));
    let by_chance = CHANCE * number(own.fails.count_ones(..));
    let mut scored = own.scored(known);
    let best = scored.first().map_or(by_chance, |one| one.0.max(by_chance));
    scored.retain(|(score, _)| *score > best - FAR);
    scored.truncate(WEIGHED);
    let whole = table.region(&known.chosen[place].literals);
    let mut found = Found {
        mine: own.rest_of(&whole),
        whole,
        places: HashMap::new(),
        all: Vec::new(),
    };
    for (score, one) in scored {
        let rows = table.region(&one.literals);
        let region = own.rest_of(&rows);
        let says = found.says(&region, &rows);
        let literals = Some(one.literals.clone());
        found.take(literals, (region, says), (score - best).exp());
    }
    let nothing = FixedBitSet::with_capacity(table.rows().len());
    found.take(None, (nothing, Says::Another), (by_chance - best).exp());
    found.turn(&known.turned[place], &own.others);
    found.in_shares()
}

impl Own {
    fn of(known: &Known<'_>, place: usize) -> Self {
        let Known {
            table,
            seen,
            chosen,
            ..
        } = known;
        let mut own = Self {
            fails: chosen[place].fails.clone(),
            passes: whole(seen.passes.len()),
            others: FixedBitSet::with_capacity(table.rows().len()),
        };
        for (_, other) in chosen.iter().enumerate().filter(|(one, _)| *one != place) {
            own.fails.difference_with(&other.fails);
            own.passes.difference_with(&other.passes);
            own.others.union_with(&table.region(&other.literals));
        }
        own
    }

    /// The candidates that account for any of it, with what each saves; the best first.
    fn scored<'c>(&self, known: &Known<'c>) -> Vec<(f64, &'c Candidate)> {
        let score = |one: &'c Candidate| {
            let fails = one.fails.intersection_count(&self.fails);
            let passes = one.passes.intersection_count(&self.passes);
            (fails > 0).then(|| (known.belief.saved(fails, passes) - one.cost, one))
        };
        let mut scored: Vec<_> = known.all.iter().filter_map(score).collect();
        scored.sort_by(|(one, first), (other, second)| {
            let by_score = other.total_cmp(one);
            by_score.then_with(|| first.literals.cmp(&second.literals))
        });
        scored
    }

    /// Those of some rows that are not of the other causes.
    fn rest_of(&self, rows: &FixedBitSet) -> FixedBitSet {
        let mut region = rows.clone();
        region.difference_with(&self.others);
        region
    }
}

/// Whether a hypothesis says the same as the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Says {
    /// The same, or the same but for more or fewer rows that the other causes account for.
    TheSame,
    /// Something else, though it may be of rows that the other causes account for as well.
    Another,
}

/// The hypotheses so far.
struct Found {
    /// The rows of the cause itself that are not of the other causes.
    mine: FixedBitSet,
    /// All of its rows.
    whole: FixedBitSet,
    places: HashMap<(FixedBitSet, Says), usize>,
    all: Vec<Hypothesis>,
}

impl Found {
    /// Of these rows, of which those are not of the other causes. What is true of some rows that the cause is not
    /// true of, and the other way round, is another thing, though nothing that could be tried tells them apart.
    fn says(&self, region: &FixedBitSet, rows: &FixedBitSet) -> Says {
        let is_nested = rows.is_subset(&self.whole) || self.whole.is_subset(rows);
        if *region == self.mine && is_nested {
            Says::TheSame
        } else {
            Says::Another
        }
    }

    fn take(
        &mut self,
        literals: Option<Vec<Literal>>,
        (region, says): (FixedBitSet, Says),
        share: f64,
    ) {
        let next = self.all.len();
        let place = self.places.entry((region.clone(), says));
        match self.all.get_mut(*place.or_insert(next)) {
            Some(same) => same.share += share,
            None => self.all.push(Hypothesis {
                literals,
                with: Vec::new(),
                is_own: says == Says::TheSame,
                region,
                share,
            }),
        }
    }

    /// Takes choices that are as likely as the chosen one: they say something of the rows of the others as well.
    fn turn(&mut self, turned: &[Turned], others: &FixedBitSet) {
        if turned.is_empty() {
            return;
        }
        let own = self.all.iter().filter(|one| one.is_own);
        let share = own.map(|one| one.share).sum();
        let all = self.all.iter_mut();
        all.for_each(|one| one.region.union_with(others));
        self.all.extend(turned.iter().map(|one| Hypothesis {
            literals: one.causes.first().cloned(),
            with: one.causes[1..].to_vec(),
            region: one.region.clone(),
            share,
            is_own: false,
        }));
    }

    fn in_shares(mut self) -> Vec<Hypothesis> {
        let sum: f64 = self.all.iter().map(|one| one.share).sum();
        self.all.iter_mut().for_each(|one| one.share /= sum);
        self.all
            .sort_by(|one, other| other.share.total_cmp(&one.share));
        self.all
    }
}

/// The row whose outcome splits the hypotheses best, and how likely it fails: one that was not tried yet or,
/// where none of these tells anything, one that was tried least.
pub(crate) fn splitting(table: &Table, all: &[Hypothesis]) -> Option<(usize, f64)> {
    let mut expected = vec![0.0; table.rows().len()];
    for one in all {
        one.region.ones().for_each(|row| expected[row] += one.share);
    }
    let unsure = |share: f64| (share - 0.5).abs();
    let rows = expected.into_iter().zip(table.rows()).enumerate();
    let worth = rows.filter(|(_, (share, row))| {
        row.tries() < TRIED && (WORTH_ASKING..=1.0 - WORTH_ASKING).contains(share)
    });
    let worth = worth.map(|(place, (share, row))| (row.tries(), place, share));
    // The first of equal ones.
    let best = worth.min_by(|(tries, _, one), (times, _, other)| {
        let by_share = unsure(*one).total_cmp(&unsure(*other));
        tries.cmp(times).then(by_share)
    });
    best.map(|(_, place, share)| (place, share))
}
