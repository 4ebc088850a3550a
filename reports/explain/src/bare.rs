//! Literals that keep no pass out: a cause is told without them.

use fixedbitset::FixedBitSet;

use crate::{Literal, Table, candidates::Candidate, cover::lean, seen::Seen};

/// The chosen ones, each without the literals without which no pass more is in it, and none of them that the others
/// make superfluous by that. A list of values of which each is contradicted a little may be all that was tried.
pub(crate) fn bare(table: &Table, seen: &Seen, chosen: Vec<Candidate>) -> Vec<Candidate> {
    let passed = table.rows().iter().enumerate();
    let passed = passed.filter(|(_, row)| row.passed > 0);
    let passed: FixedBitSet = passed.map(|(place, _)| place).collect();
    let count = chosen.len();
    let mut is_other = false;
    let mut all: Vec<Candidate> = Vec::with_capacity(count);
    for one in chosen {
        let literals = needed(table, &passed, &one.literals);
        if literals.len() == one.literals.len() {
            all.push(one);
        } else {
            is_other = true;
            all.push(one.of(table, seen, literals));
        }
    }
    if !is_other {
        return all;
    }
    let kept = lean(&all.iter().collect::<Vec<_>>(), (0..count).collect());
    let all = all.into_iter().enumerate();
    all.filter_map(|(place, one)| kept.contains(&place).then_some(one))
        .collect()
}

/// The literals that are needed, by what passed: the dearest is left out first.
fn needed(table: &Table, passed: &FixedBitSet, literals: &[Literal]) -> Vec<Literal> {
    let passes = |literals: &[Literal]| table.region(literals).intersection_count(passed);
    let most = passes(literals);
    let mut in_order = literals.to_vec();
    in_order.sort_by(|one, other| other.cost(table).total_cmp(&one.cost(table)));
    let mut kept = literals.to_vec();
    for literal in in_order {
        let mut rest = kept.clone();
        rest.retain(|one| *one != literal);
        if !rest.is_empty() && passes(&rest) == most {
            kept = rest;
        }
    }
    kept
}
