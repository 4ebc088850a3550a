//! The part of a log that tells of a failure.

use maud::{Markup, html};
use migratrix_matrix::Arch;

use crate::printable::shortened;

/// How many lines are shown, how many of them after the one that tells most, and how long one may be.
const LINES: usize = 48;
const AFTER: usize = 12;
const WIDTH: usize = 1_000;

/// Part of a log.
pub struct Excerpt<'l> {
    /// How many lines before it are left out.
    before: usize,
    /// Its lines; each that is marked tells of the failure, or of an error.
    lines: Vec<(bool, &'l str)>,
    /// How many after it are.
    after: usize,
}

impl<'l> Excerpt<'l> {
    /// The lines of a log around the first that says one of the `words`; where none does, around the
    /// last that tells of an error, or its end.
    pub fn of(log: &'l str, words: &[String]) -> Self {
        let all: Vec<&str> = log.lines().collect();
        let emulators: Vec<_> = Arch::ALL
            .iter()
            .map(|arch| format!("{}: ", arch.emulator()))
            .collect();
        let is_error = |line: &str| is_error(line, &emulators);
        let says = |line: &&str| words.iter().any(|word| line.contains(word.as_str()));
        let first = all.iter().position(says);
        let middle = first.or_else(|| all.iter().rposition(|line| is_error(line)));
        let end = middle.map_or(all.len(), |middle| middle + 1 + AFTER);
        let end = end.max(LINES).min(all.len());
        let begin = end.saturating_sub(LINES);
        let told = |line: &&'l str| (says(line) || is_error(line), *line);
        Self {
            before: begin,
            lines: all[begin..end].iter().map(told).collect(),
            after: all.len() - end,
        }
    }
}

/// Whether a line is one by which libvirt, or one of these emulators, tells of an error.
fn is_error(line: &str, emulators: &[String]) -> bool {
    let by_qemu = |emulator: &String| line.contains(emulator.as_str());
    let is = line.contains(": error :") || emulators.iter().any(by_qemu);
    let harmless = ["warning:", "info:", "End of file while reading data"];
    is && !harmless.iter().any(|word| line.contains(word))
}

/// The excerpt, its marked lines by a sign as well as by colour.
pub fn excerpt(log: &str, words: &[String]) -> Markup {
    let Excerpt {
        before,
        lines,
        after,
    } = Excerpt::of(log, words);
    html! {
        pre.log tabindex="0" {
            (left_out(before))
            @for (is_marked, line) in lines {
                @if is_marked { mark { "▸ " (shortened(line, WIDTH)) } "\n" } @else { "  " (shortened(line, WIDTH)) "\n" }
            }
            (left_out(after))
        }
    }
}

fn left_out(lines: usize) -> Markup {
    html! { @if lines > 0 { span.cut { "⋯ " (lines) " lines\n" } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: usize, at: usize, told: &str) -> String {
        let line = |place| {
            if place == at {
                told.to_owned()
            } else {
                format!("line {place}")
            }
        };
        (0..lines).map(|place| line(place) + "\n").collect()
    }

    #[test]
    fn a_short_log_is_shown_whole() {
        let log = log(9, 3, "1: error : no");
        let Excerpt {
            before,
            lines,
            after,
        } = Excerpt::of(&log, &[]);
        assert_eq!((before, lines.len(), after), (0, 9, 0));
        assert_eq!(lines[3], (true, "1: error : no"));
    }

    #[test]
    fn of_a_long_log_what_is_around_the_failure_is_shown() {
        let log = log(500, 300, "what was refused") + "9: error : something later\n";
        let Excerpt {
            before,
            lines,
            after,
        } = Excerpt::of(&log, &["was refused".to_owned()]);
        assert_eq!(before + lines.len() + after, 501);
        assert_eq!(lines.len(), LINES);
        assert!(lines.contains(&(true, "what was refused")));
        assert_eq!(lines.last(), Some(&(false, "line 312")));
    }

    #[test]
    fn where_no_line_says_it_the_last_error_counts_and_else_the_end() {
        let log = log(500, 100, "9: error : no");
        assert!(
            Excerpt::of(&log, &[])
                .lines
                .contains(&(true, "9: error : no"))
        );
        let harmless = log.replace("error : no", "error : End of file while reading data");
        assert_eq!(Excerpt::of(&harmless, &[]).after, 0);
    }

    #[test]
    fn a_long_line_is_cut_and_what_is_in_it_is_text() {
        let shown = excerpt(&("<script>".to_owned() + &"x".repeat(WIDTH)), &[]).into_string();
        assert!(shown.contains("&lt;script&gt;xx") && shown.contains("x…"));
    }
}
