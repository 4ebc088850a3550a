//! A cause of the table as one that is told: its filter, what speaks for it, and what against.

use std::collections::BTreeSet;

use migratrix_explain::{Beside, Cause, Literal, Rival};
use migratrix_matrix::HostSetup;

use super::{Blame, Neighbours, Other, Reason, Study, Told};

/// The failures that a cause alone accounts for.
struct Alone {
    rows: Vec<usize>,
    /// How many things they say, of one condition or several.
    says: usize,
    /// Whether the others, which are of another cause as well, say none of these.
    strikes_here_alone: bool,
}

impl Study {
    /// A cause, as it is told, beside all that there are.
    pub(super) fn blame(&self, cause: &Cause, all: &[Cause]) -> Blame {
        let Cause {
            literals,
            failed,
            passed,
            share,
            rivals,
            untried,
            ..
        } = cause;
        let alone = self.alone(cause, all);
        let open = self.open(cause);
        let others = literals
            .iter()
            .flat_map(|one| self.columns.alike(&self.table, one));
        let others = others.chain(self.columns.setup_alike(&self.table, literals));
        Blame {
            filter: self.columns.filter(&self.table, literals),
            setups: self.columns.setups(literals),
            traits: self.columns.traits(&self.table, literals),
            in_other_words: others.collect(),
            reason: self.reason(&alone.rows).or_else(|| self.reason(failed)),
            failed: self.named(failed),
            alone: alone.rows.len(),
            passed: self.named(passed),
            share: *share,
            sure: cause.is_settled() && passed.is_empty() && alone.is_enough() && open.is_empty(),
            doubts: doubts(cause, &alone, open),
            beside: self.neighbours(cause),
            untried: self.texts(untried),
            rivals: rivals.iter().map(|one| self.other(one)).collect(),
        }
    }

    /// A cause in a line.
    fn told(&self, literals: &[Literal]) -> String {
        let told = Told {
            filter: &self.columns.filter(&self.table, literals),
            setups: &self.columns.setups(literals),
        };
        told.to_string()
    }

    fn texts(&self, literals: &[Literal]) -> Vec<String> {
        let texts = literals.iter();
        let texts = texts.map(|one| self.columns.text(&self.table, one));
        texts.collect()
    }

    /// What only failures of other causes could tell of a cause.
    fn open(&self, cause: &Cause) -> Vec<String> {
        let shared = self.texts(&cause.shared).join(", ");
        let shared = (!shared.is_empty()).then(|| {
            let parts = if cause.shared.len() == 1 { "is a part" } else { "are parts" };
            format!(
                "whether {shared} {parts} of it is open: all that fails of that is of another cause as well"
            )
        });
        let wider = cause.wider.iter().map(|one| {
            let filter = self.columns.filter(&self.table, one);
            format!(
                "whether it is {filter} is open: all else that fails of that is of another cause as well"
            )
        });
        shared.into_iter().chain(wider).collect()
    }

    fn alone(&self, cause: &Cause, all: &[Cause]) -> Alone {
        let others = all.iter().filter(|one| one.literals != cause.literals);
        let is_elsewhere = |row: &&usize| others.clone().any(|one| one.failed.contains(row));
        let (shared, rows): (Vec<_>, Vec<_>) = cause.failed.iter().partition(is_elsewhere);
        let says = |rows: &[usize]| {
            let says = rows.iter().filter_map(|row| self.table.rows()[*row].says);
            says.collect::<BTreeSet<_>>()
        };
        let (shared, own) = (says(&shared), says(&rows));
        Alone {
            rows,
            says: own.len(),
            strikes_here_alone: !own.is_empty() && !shared.is_empty() && own.is_disjoint(&shared),
        }
    }

    /// What most of the failures of some rows say.
    pub(super) fn reason(&self, rows: &[usize]) -> Option<Reason> {
        Reason::of(rows.iter().filter_map(|row| self.says[*row].as_ref()))
    }

    fn neighbours(&self, cause: &Cause) -> Vec<Neighbours> {
        let beside = cause.literals.iter().zip(&cause.beside);
        let neighbours = beside.map(|(literal, beside)| Neighbours {
            axis: self.columns.name(literal).to_owned(),
            passed: beside.passed,
            failed: beside.failed,
        });
        neighbours.collect()
    }

    fn other(&self, rival: &Rival) -> Other {
        let literals = rival.literals.as_ref();
        // Alone a case runs on hosts as they are shipped.
        let is_told = |setup| self.columns.setup().is_some() || setup == HostSetup::Quick;
        let told_on = rival.told_by.map(|row| self.trials[row].setup);
        Other {
            filter: literals.map(|one| self.columns.filter(&self.table, one)),
            setups: literals.map_or_else(Vec::new, |one| self.columns.setups(one)),
            with: rival.with.iter().map(|one| self.told(one)).collect(),
            share: rival.share,
            told_by: rival.told_by.map(|row| self.trials[row].case.clone()),
            told_on: told_on.filter(|setup| is_told(*setup)),
        }
    }
}

impl Alone {
    /// Whether they are several and fail by the same, as what is of another cause as well does.
    fn is_enough(&self) -> bool {
        self.rows.len() > 1 && self.says < 2 && !self.strikes_here_alone
    }
}

/// What speaks against a cause.
fn doubts(cause: &Cause, alone: &Alone, open: Vec<String>) -> Vec<String> {
    let mut doubts = Vec::new();
    if alone.says > 1 {
        doubts.push("its failures say several things".to_owned());
    }
    if alone.strikes_here_alone {
        let elsewhere = "it may be narrower: of its cases that another cause has as well, none says what its others say";
        doubts.push(elsewhere.to_owned());
    }
    doubts.extend(open);
    if alone.rows.len() == 1 {
        doubts.push("it rests on one case".to_owned());
    }
    match cause.passed.len() {
        0 => {}
        1 => doubts.push("one case of it passed all the same".to_owned()),
        more => doubts.push(format!("{more} cases of it passed all the same")),
    }
    let untried = |one: &Beside| one.passed == 0;
    if cause.beside.iter().any(untried) {
        doubts.push("no case passed that differs in one axis alone".to_owned());
    }
    doubts
}
