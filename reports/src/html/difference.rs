//! Two texts that should be alike, with what differs marked: by a sign in front of each line, and by
//! colour.

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

/// How many equal lines are shown around what differs.
const AROUND: usize = 3;

/// What differs, with some lines around; `None` where nothing does.
pub fn difference(old: &str, new: &str) -> Option<Markup> {
    let whole = |text: &str| {
        let lines = text.lines().map(str::trim_end);
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    let (old, new) = (whole(old), whole(new));
    if old == new {
        return None;
    }
    let diff = TextDiff::from_lines(&old, &new);
    let groups = diff.grouped_ops(AROUND);
    let changes = |group: &[_]| {
        let changes = group.iter().flat_map(|op| diff.iter_changes(op));
        let changes = changes.map(|one| (one.tag(), one.value().to_owned()));
        runs(changes)
    };
    Some(html! {
        pre.difference tabindex="0" {
            @for (place, group) in groups.iter().enumerate() {
                @if place > 0 { span.cut { "⋯\n" } }
                @for (tag, lines) in changes(group) { (marked(tag, &lines)) }
            }
        }
    })
}

/// Lines that follow each other and are changed alike, as one.
fn runs(changes: impl Iterator<Item = (ChangeTag, String)>) -> Vec<(ChangeTag, String)> {
    let mut runs: Vec<(ChangeTag, String)> = Vec::new();
    for (tag, line) in changes {
        let line = format!("{} {line}", sign(tag));
        match runs.last_mut() {
            Some((last, lines)) if *last == tag => lines.push_str(&line),
            Some(_) | None => runs.push((tag, line)),
        }
    }
    runs
}

const fn sign(tag: ChangeTag) -> char {
    match tag {
        ChangeTag::Equal => ' ',
        ChangeTag::Delete => '−',
        ChangeTag::Insert => '+',
    }
}

fn marked(tag: ChangeTag, lines: &str) -> Markup {
    html! {
        @match tag {
            ChangeTag::Equal => (lines),
            ChangeTag::Delete => del { (lines) },
            ChangeTag::Insert => ins { (lines) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked_by_a_sign_and_an_element_and_escaped() {
        let old = "<a>\n<b x='1'/>\n</a>\n";
        let shown = difference(old, &old.replace('1', "2")).expect("it differs");
        assert_eq!(
            shown.into_string(),
            "<pre class=\"difference\" tabindex=\"0\">  &lt;a&gt;\n\
             <del>− &lt;b x='1'/&gt;\n</del><ins>+ &lt;b x='2'/&gt;\n</ins>  &lt;/a&gt;\n</pre>"
        );
    }

    #[test]
    fn texts_that_are_alike_but_for_the_ends_of_their_lines_do_not_differ() {
        assert!(difference("a \nb", "a\nb\n").is_none());
    }

    #[test]
    fn lines_that_are_alike_and_far_from_what_differs_are_left_out() {
        let old: Vec<_> = (0..100).map(|line| format!("line {line}")).collect();
        let old = old.join("\n");
        let new = old.replace("line 5\n", "").replace("line 95\n", "");
        let shown = difference(&old, &new).expect("it differs").into_string();
        assert!(shown.contains("⋯") && !shown.contains("line 50"));
        assert_eq!(shown.matches("<del>").count(), 2);
    }
}
