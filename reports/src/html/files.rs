//! What the page is made of beside the run: the files of the run's directory.

use migratrix_history::History;

use crate::Judgement;

/// The files of the directories of a run, for whoever can read them. A function that leads to them is
/// enough: then none is looked into.
pub trait Files {
    /// The way from where the page is to a file of the directory of the judgement's run.
    fn way(&self, judgement: &Judgement, file: &str) -> String;

    /// What is in it; `None` where it is not there, or is not to be looked into.
    fn bytes(&self, judgement: &Judgement, file: &str) -> Option<Vec<u8>>;
}

impl<W: Fn(&Judgement, &str) -> String> Files for W {
    fn way(&self, judgement: &Judgement, file: &str) -> String {
        self(judgement, file)
    }

    fn bytes(&self, _: &Judgement, _: &str) -> Option<Vec<u8>> {
        None
    }
}

/// A file's text, with what is no text in it replaced.
pub fn text(files: &impl Files, judgement: &Judgement, file: &str) -> Option<String> {
    let bytes = files.bytes(judgement, file)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The history of an attempt, as far as it is there and can be read.
pub fn history(files: &impl Files, judgement: &Judgement) -> Option<History> {
    let bytes = files.bytes(judgement, judgement.log.as_ref()?)?;
    let (history, _) = History::read(bytes).ok()?;
    Some(history)
}
