//! What a list has around its text, and what reads TOML does not keep: how its lines end, and the mark of
//! its order of bytes.

/// The mark that some editors write before UTF-8.
const MARK: char = '\u{feff}';

/// The lines of a text, each with its end.
pub(super) struct LineEnds<'t> {
    mark: Option<char>,
    lines: Vec<(&'t str, &'t str)>,
}

impl<'t> LineEnds<'t> {
    /// Those of a text.
    pub fn of(text: &'t str) -> Self {
        let bare = text.strip_prefix(MARK);
        let lines = bare.unwrap_or(text).split_inclusive('\n');
        Self {
            mark: bare.map(|_| MARK),
            lines: lines.map(parted).collect(),
        }
    }

    /// The text with lines that end as usual.
    pub fn plain(&self) -> String {
        let line = |(line, end): &(&str, &str)| {
            let end = if end.is_empty() { "" } else { "\n" };
            format!("{line}{end}")
        };
        self.lines.iter().map(line).collect()
    }

    /// What became of the plain text, with the ends that its lines had; new ones end as the first one does.
    pub fn given_to(&self, text: &str) -> String {
        let usual = self.lines.first().map_or("\n", |(_, end)| *end);
        let usual = if usual.is_empty() { "\n" } else { usual };
        let mut old = self.lines.iter().peekable();
        let mut given: String = self.mark.into_iter().collect();
        for (line, end) in text.split_inclusive('\n').map(parted) {
            let same = old.next_if(|(before, _)| *before == line);
            let had = same.map(|(_, end)| *end).filter(|end| !end.is_empty());
            given += line;
            given += if end.is_empty() {
                ""
            } else {
                had.unwrap_or(usual)
            };
        }
        given
    }
}

/// A line and its end.
fn parted(line: &str) -> (&str, &str) {
    let body = line.strip_suffix('\n').unwrap_or(line);
    let body = body
        .strip_suffix('\r')
        .filter(|_| line.ends_with('\n'))
        .unwrap_or(body);
    line.split_at(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_keeps_its_end_and_new_ones_end_as_the_first_one() {
        for (text, changed, given) in [
            ("a\r\nb\r\n", "a\nb\nnew\n", "a\r\nb\r\nnew\r\n"),
            ("a\nb\r\nc", "a\nb\nc\nnew\n", "a\nb\r\nc\nnew\n"),
            (
                "\u{feff}a\r\n]\r\n",
                "a\nnew\n]\n",
                "\u{feff}a\r\nnew\r\n]\r\n",
            ),
            ("", "new\n", "new\n"),
        ] {
            assert_eq!(LineEnds::of(text).given_to(changed), given);
        }
        assert_eq!(LineEnds::of("\u{feff}a\r\nb").plain(), "a\nb");
    }
}
