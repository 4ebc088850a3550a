//! What is wrong with histories, and with lines of files: of many of one kind one line tells, with how many there are, the
//! first of them, and the mend.

use std::{fmt, path::Path};

use migratrix_matrix::Case;
use migratrix_reports::{DamageOf, Damaged};

use crate::{
    run::rundir::RunDir,
    say::{Shown, typed_word},
};

/// A history that does not tell all of its attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The case of the run that it is of, also where it is the history of the raw case beside it.
    pub case: Case,
    /// What is wrong with it.
    pub kind: Kind,
    /// The same in words, with its file.
    pub told: String,
}

/// That a history is that of another attempt.
#[derive(Debug)]
pub struct Foreign(pub String);

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Foreign {}

/// What can be wrong with a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It says nothing.
    Unreadable,
    /// It is that of another attempt.
    Foreign,
    /// Its end is missing.
    Cut,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Unreadable, Self::Foreign, Self::Cut];

    /// What is wrong with one that could not be judged.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<Foreign>() {
            Self::Foreign
        } else {
            Self::Unreadable
        }
    }

    const fn of_many(self) -> &'static str {
        match self {
            Self::Unreadable => "can't be read",
            Self::Foreign => "are those of others",
            Self::Cut => "were cut",
        }
    }
}

/// What is said of these histories: a line a kind.
pub fn told(troubles: &[Trouble], dir: &RunDir) -> Vec<Damaged> {
    let place = dir.path().to_string_lossy();
    let mend = |whose| {
        let place = typed_word(&place);
        format!("migratrix run --resume {place} runs {whose} again")
    };
    let of = |kind: Kind| {
        let own: Vec<_> = troubles.iter().filter(|one| one.kind == kind).collect();
        let first = own.first()?;
        let told = match own.len() {
            1 => format!("{}; {}", first.told, mend("its case")),
            many => format!(
                "{many} histories {}, the first: {}; {}",
                kind.of_many(),
                first.told,
                mend("their cases")
            ),
        };
        let cases = own.iter().map(|one| one.case.clone()).collect();
        let of = DamageOf::Cases(cases);
        Some(Damaged { told, of })
    };
    Kind::ALL.into_iter().filter_map(of).collect()
}

/// What is said of lines of a file, by the number of each and what is wrong with it: `one` of one, `many` of several.
pub fn told_lines(
    lines: &[(usize, String)],
    file: &Path,
    [one, many]: [&str; 2],
) -> Option<String> {
    let ((number, why), file) = (lines.first()?, file.shown());
    Some(match lines.len() {
        1 => format!("line {number} of {file} {one}: {why}"),
        count => format!("{count} lines of {file} {many}, the first is line {number}: {why}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lines_one_line_tells_with_the_first_of_them() {
        let told = |lines: &[(usize, String)]| {
            told_lines(lines, Path::new("out/x.jsonl"), ["is odd", "are odd"])
        };
        let bad = |line| (line, "no case".to_owned());
        assert_eq!(told(&[]), None);
        let one = "line 7 of out/x.jsonl is odd: no case";
        assert_eq!(told(&[bad(7)]).as_deref(), Some(one));
        let many = "2 lines of out/x.jsonl are odd, the first is line 7: no case";
        assert_eq!(told(&[bad(7), bad(9)]).as_deref(), Some(many));
    }
}
