//! How many rows the covers of known models have, and in what time; beside those of PICT, where it is
//! there: `PICT=FILE cargo bench -p migratrix-cover`. The names of models may be given, as `-- reference`.

mod models;

use std::{fmt::Write, time::Duration};

use migratrix_cover::{Cover, Wanted, cover};
use models::{Known, known};

/// The numbers of steps: the greedy pass alone, the usual number, and many.
const STEPS: [u64; 3] = [0, Wanted::STEPS, 10 * Wanted::STEPS];

/// How many seeds are tried with the usual number of steps.
const SEEDS: u64 = 5;

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    println!(
        "model strength | goal, best known | greedy | usual, of {SEEDS} seeds | ten times | first rows for 1, 2, … | PICT"
    );
    for one in known() {
        if asked.is_empty() || asked.iter().any(|name| name == one.name) {
            println!("{}", line(&one));
        }
    }
}

fn line(one: &Known) -> String {
    let mut line = format!("{} {} | {}", one.name, one.strength, one.goal);
    for steps in STEPS {
        let seeds = if steps == Wanted::STEPS { SEEDS } else { 1 };
        let tried = (0..seeds).map(|seed| timed(one, seed, steps));
        let (covers, times): (Vec<Cover>, Vec<Duration>) = tried.unzip();
        let sizes: Vec<String> = covers
            .iter()
            .map(|cover| cover.rows.len().to_string())
            .collect();
        let longest = times.iter().max().expect("a seed was tried");
        let _ = write!(
            line,
            " | {} in {:.3} s",
            sizes.join(" "),
            longest.as_secs_f64()
        );
        if steps == STEPS[2] {
            let _ = write!(line, " | {:?}", covers[0].levels);
        }
    }
    line + " | " + &pict(one).unwrap_or_else(|| "not there".to_owned())
}

#[expect(clippy::disallowed_types, reason = "a benchmark reads the clock")]
fn timed(one: &Known, seed: u64, steps: u64) -> (Cover, Duration) {
    let wanted = Wanted {
        seed,
        steps,
        ..Wanted::of_strength(one.strength)
    };
    let began = std::time::Instant::now();
    let cover = cover(&one.model(), &wanted).expect("the model is sound");
    (cover, began.elapsed())
}

/// What PICT makes of the model.
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark runs another program, and reads the clock"
)]
fn pict(one: &Known) -> Option<String> {
    let program = std::env::var("PICT").ok()?;
    let file = std::env::temp_dir().join(format!("{}-{}.pict", one.name, std::process::id()));
    std::fs::write(&file, one.text()).ok()?;
    let began = std::time::Instant::now();
    let order = format!("/o:{}", one.strength);
    let ran = std::process::Command::new(program)
        .arg(&file)
        .arg(order)
        .output();
    let time = began.elapsed();
    let _ = std::fs::remove_file(&file);
    let text = String::from_utf8(ran.ok()?.stdout).ok()?;
    let rows = text.lines().count().saturating_sub(1);
    Some(format!("{rows} in {:.3} s", time.as_secs_f64()))
}
