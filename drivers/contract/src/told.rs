//! An error with its causes, as one line for people.

use std::error::Error;

/// What an error says, and what its causes say, down to the first.
#[must_use]
pub fn told(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Step(&'static str, #[source] Option<Box<Step>>);

    #[test]
    fn every_cause_is_told_once_down_to_the_first() {
        let first = Step("no such file", None);
        let middle = Step("can't read `/x`", Some(Box::new(first)));
        let last = Step("no image can be made", Some(Box::new(middle)));
        assert_eq!(
            told(&last),
            "no image can be made: can't read `/x`: no such file"
        );
    }
}
