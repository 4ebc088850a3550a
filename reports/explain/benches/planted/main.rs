//! Planted causes in the real matrix: how many are found exactly, and after how many further cases.
//!
//! `cargo bench -p migratrix-explain --bench planted -- [TRUTHS [WORD…]]`: so many truths a row of the
//! table, of the rows that have one of the words in their names.

mod space;

use fixedbitset::FixedBitSet;
use migratrix_explain::{Kind, Literal, Outcome, Table, Values, settle};
use migratrix_matrix::{
    Backend, Profile, Release, ReleaseName, Releases, Selection, Suite, Version,
};

use space::Space;

/// The most further cases that are asked for.
const MOST: usize = 60;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let truths = words
        .first()
        .and_then(|word| word.parse().ok())
        .unwrap_or(200);
    let wanted = |name: &str| words.len() < 2 || words[1..].iter().any(|word| name.contains(word));
    let releases = releases();
    println!(
        "| tried | rows | planted | flaky | exact | causes told | further cases: median, 90 % | ms |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, selection) in selections() {
        let space = Space::of(&selection, &releases);
        for (tried, rows) in [("all", None), ("--cover 3", Some(3))] {
            let tried_rows = space.tried(rows);
            let all = [
                Planted::One(2),
                Planted::One(3),
                Planted::Placed,
                Planted::Directed,
                Planted::Three,
            ];
            // A cover of three factors has few cases of a cause of four.
            let planted = all
                .into_iter()
                .filter(|one| rows.is_none() || *one != Planted::Placed);
            for planted in planted {
                for flaky in [0, 1] {
                    let name = format!("{name}, {tried}");
                    let row = format!("{name} {planted} {flaky}");
                    if wanted(&row) {
                        space.measure(&name, &tried_rows, planted, flaky, truths);
                    }
                }
            }
        }
    }
}

fn releases() -> Releases {
    let release = |(name, libvirt, qemu): (&str, &str, &str)| Release {
        libvirt: libvirt.parse::<Version>().ok(),
        qemu: qemu.parse().ok(),
        ..Release::unknown(ReleaseName::new(name).expect("a name"))
    };
    let all = [
        ("bullseye", "7.0.0", "5.2.0"),
        ("bookworm", "9.0.0", "7.2.22"),
        ("trixie", "11.3.0", "10.0.13"),
        ("sid", "12.6.0", "11.1.3"),
    ];
    Releases::new(all.into_iter().map(release).collect()).expect("each once")
}

fn selections() -> [(&'static str, Selection); 2] {
    let tck = Selection {
        profile: Some(Profile::TCK_FULL),
        ..Selection::default()
    };
    let qemu = Selection {
        suite: Suite::Qemu,
        backend: Backend::Qemu,
        ..Selection::default()
    };
    [("`tck-full`, 64 tuples", tck), ("`qemu`, 16 pairs", qemu)]
}

/// A generator of numbers that are random enough, the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % count
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Planted {
    One(usize),
    /// Two factors on one pair of releases.
    Placed,
    /// One factor in one direction, or wherever the versions are others.
    Directed,
    Three,
}

impl std::fmt::Display for Planted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(factors) => write!(f, "one cause of {factors} factors"),
            Self::Placed => f.write_str("one cause of two factors and a pair of releases"),
            Self::Directed => f.write_str("one cause of a factor and a direction"),
            Self::Three => f.write_str("three causes at once"),
        }
    }
}

impl Space {
    /// A random cause, none of whose factors can be left out.
    fn cause(&self, empty: &Table, factors: usize, dice: &mut Dice) -> Vec<Literal> {
        loop {
            let mut literals: Vec<Literal> = Vec::new();
            while literals.len() < factors {
                let column = dice.below(self.direction);
                if literals.iter().all(|one| one.column != column) {
                    literals.push(self.literal(column, dice));
                }
            }
            let whole = empty.region(&literals);
            let matters = |one: usize| {
                let mut rest = literals.clone();
                rest.remove(one);
                empty.region(&rest) != whole
            };
            if !whole.is_clear() && (0..factors).all(matters) {
                return literals;
            }
        }
    }

    /// A random cause of a factor in one direction, or wherever the versions are others.
    fn directed(&self, empty: &Table, dice: &mut Dice) -> Vec<Literal> {
        loop {
            let values = [&[0][..], &[2], &[0, 2]][dice.below(3)]
                .iter()
                .copied()
                .collect();
            let direction = Literal {
                column: self.direction,
                values,
            };
            let others = self.cause(empty, 1, dice);
            let is_side =
                |one: &Literal| self.sides.contains(&one.column) || one.column == self.direction;
            let all = [others.clone(), vec![direction]].concat();
            if !others.iter().any(is_side) && !empty.region(&all).is_clear() {
                return all;
            }
        }
    }

    /// A random cause of two factors, each of which matters on one pair of releases.
    fn placed(&self, empty: &Table, dice: &mut Dice) -> Vec<Literal> {
        let pair: Vec<Literal> = self
            .sides
            .iter()
            .map(|column| {
                let value = dice.below(self.columns[*column].values);
                let values = [u8::try_from(value).expect("few values")]
                    .into_iter()
                    .collect();
                Literal {
                    column: *column,
                    values,
                }
            })
            .collect();
        loop {
            let mut two = self.cause(empty, 2, dice);
            let others = two.iter().all(|one| !self.sides.contains(&one.column));
            let region = |literals: &[Literal]| empty.region(&[&pair[..], literals].concat());
            let whole = region(&two);
            let matters = others && two.iter().all(|one| region(&[*one]) != whole);
            if matters && whole.count_ones(..) > 2 {
                two.extend(&pair);
                return two;
            }
        }
    }

    fn literal(&self, column: usize, dice: &mut Dice) -> Literal {
        let count = self.columns[column].values;
        let first = dice.below(count);
        let last = match self.columns[column].kind {
            Kind::Ordered => first + dice.below(count - first),
            Kind::Unordered { .. } | Kind::Single => first,
        };
        let byte = |value: usize| u8::try_from(value).expect("few values");
        let values: Values = (byte(first)..=byte(last)).collect();
        Literal { column, values }
    }

    fn measure(
        &self,
        name: &str,
        tried: &FixedBitSet,
        planted: Planted,
        flaky: usize,
        truths: usize,
    ) {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let empty = self.table();
        let (mut exact, mut as_many, mut asked) = (0, 0, Vec::new());
        let began = worked_ms();
        for _ in 0..truths {
            let causes: Vec<Vec<Literal>> = match planted {
                Planted::One(factors) => vec![self.cause(&empty, factors, &mut dice)],
                Planted::Placed => vec![self.placed(&empty, &mut dice)],
                Planted::Directed => vec![self.directed(&empty, &mut dice)],
                Planted::Three => {
                    let factors = [0; 3].map(|_| 2 + dice.below(2));
                    factors
                        .map(|factors| self.cause(&empty, factors, &mut dice))
                        .to_vec()
                }
            };
            let mut truth = FixedBitSet::with_capacity(self.cases.len());
            causes
                .iter()
                .for_each(|one| truth.union_with(&empty.region(one)));
            let mut table = empty.clone();
            let mut outcome = |row: usize| match truth.contains(row) != (dice.below(100) < flaky) {
                true => Outcome::Failed,
                false => Outcome::Passed,
            };
            tried.ones().for_each(|row| table.add(row, outcome(row)));
            let (found, count) = settle(&mut table, MOST, &mut outcome);
            let mut told = FixedBitSet::with_capacity(self.cases.len());
            found
                .causes
                .iter()
                .for_each(|one| told.union_with(&table.region(&one.literals)));
            exact += usize::from(told == truth);
            as_many += usize::from(found.causes.len() <= causes.len());
            asked.push(count);
        }
        asked.sort_unstable();
        let percent = |count: usize| 100.0 * count as f64 / truths as f64;
        println!(
            "| {name} | {} | {planted} | {flaky} % | {:.1} % | {:.1} % | {}, {} | {:.1} |",
            tried.count_ones(..),
            percent(exact),
            percent(as_many),
            asked[truths / 2],
            asked[truths * 9 / 10],
            (worked_ms() - began) / truths as f64,
        );
    }
}

/// How long the processor has worked for this process, in milliseconds, whatever else it had to do.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn worked_ms() -> f64 {
    let all = std::fs::read_to_string("/proc/self/schedstat").expect("the kernel keeps it");
    let first = all
        .split_whitespace()
        .next()
        .and_then(|one| one.parse::<f64>().ok());
    first.expect("nanoseconds") / 1e6
}
