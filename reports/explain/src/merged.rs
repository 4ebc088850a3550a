//! Combinations with several lists of values: those that differ in the values of one column alone are one.

use std::collections::HashMap;

use crate::{Kind, Literal, Table, Values, apart::is_literal, candidates::Candidate, seen::Seen};

/// Some literals, and of which column one more is.
type Rest = (Vec<Literal>, usize);

/// Those that several of these make which no pass contradicts, and which have a list of values in common: the search
/// for candidates finds one list in each.
pub(crate) fn merged(table: &Table, found: &[Candidate]) -> Vec<Candidate> {
    let mut alike: HashMap<Rest, Vec<(Values, &Candidate)>> = HashMap::new();
    let pure = found.iter().filter(|one| one.passes.is_clear());
    for one in pure {
        for (place, literal) in one.literals.iter().enumerate() {
            let mut rest = one.literals.clone();
            rest.remove(place);
            let is_open =
                is_listed(table, literal.column) && rest.iter().any(|one| is_list(table, one));
            if is_open {
                let same = alike.entry((rest, literal.column)).or_default();
                same.push((literal.values, one));
            }
        }
    }
    let all = alike.into_iter().filter(|(_, same)| same.len() > 1);
    let all = all.filter_map(|((rest, column), same)| union(table, rest, column, &same));
    let mut all: Vec<_> = all.collect();
    all.sort_by(|one, other| one.literals.cmp(&other.literals));
    all.dedup_by(|one, other| one.literals == other.literals);
    all
}

/// Whether several values of a column may be listed.
fn is_listed(table: &Table, column: usize) -> bool {
    match table.columns()[column].kind {
        Kind::Unordered { .. } => !table.is_unchosen(column),
        Kind::Ordered | Kind::Single => false,
    }
}

fn is_list(table: &Table, literal: &Literal) -> bool {
    literal.values.count() > 1 && is_listed(table, literal.column)
}

/// What some of them are together; nothing where that is one of them, or says nothing.
fn union(
    table: &Table,
    mut literals: Vec<Literal>,
    column: usize,
    same: &[(Values, &Candidate)],
) -> Option<Candidate> {
    let (_, first) = same.first()?;
    let values = same
        .iter()
        .fold(Values::default(), |all, (own, _)| all.with(*own));
    let is_news = same.iter().all(|(own, _)| *own != values);
    if !is_news || values.includes(table.there(column)) {
        return None;
    }
    let own = first.literals.iter().find(|one| one.column == column)?;
    let literal = Literal { column, values };
    let cost = first.cost - own.cost(table) + literal.cost(table);
    let mut fails = first.fails.clone();
    same.iter()
        .for_each(|(_, one)| fails.union_with(&one.fails));
    literals.push(literal);
    literals.sort_unstable();
    Some(Candidate {
        literals,
        fails,
        passes: first.passes.clone(),
        cost,
    })
}

/// The chosen ones, those that differ in the values of one column alone as one, where that takes fewer words.
pub(crate) fn joined(table: &Table, seen: &Seen, chosen: Vec<Candidate>) -> Vec<Candidate> {
    pairwise(chosen, |chosen, [one, other]| {
        join(table, seen, &chosen[one], &chosen[other])
    })
}

/// The chosen ones, two of them as one as long as some are.
pub(crate) fn pairwise(
    mut chosen: Vec<Candidate>,
    as_one: impl Fn(&[Candidate], [usize; 2]) -> Option<Candidate>,
) -> Vec<Candidate> {
    loop {
        let count = chosen.len();
        let mut pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| [one, other]));
        let both = pairs.find_map(|pair| as_one(&chosen, pair).map(|both| (pair, both)));
        let Some(([one, other], both)) = both else {
            return chosen;
        };
        chosen[one] = both;
        chosen.remove(other);
    }
}

fn join(table: &Table, seen: &Seen, one: &Candidate, other: &Candidate) -> Option<Candidate> {
    let is_same = one.literals.len() == other.literals.len();
    let both = one.literals.iter().zip(&other.literals);
    let mut differ = both.filter(|(one, other)| one != other);
    let (literal, instead) = differ.next().filter(|_| is_same)?;
    let values = literal.values.with(instead.values);
    let is_one = differ.next().is_none()
        && literal.column == instead.column
        && is_literal(table, literal.column, values)
        && !values.includes(table.there(literal.column));
    let joined = is_one.then(|| one.narrowed(table, seen, *literal, values))?;
    (joined.cost < one.cost + other.cost).then_some(joined)
}
