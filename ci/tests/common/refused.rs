//! Histories in which a migration is refused: tests change those of a run that went well.

use std::{fs, path::Path};

/// Changes a history to one whose migration was refused, in these words.
pub fn refuse(history: &Path, message: &str) {
    let message = serde_json::to_string(message).expect("it is text");
    let refused = format!(r#""end":"refused","code":9,"domain":31,"message":{message}"#);
    let text = fs::read_to_string(history).expect("it is there");
    let lines = text.lines().map(|line| {
        if line.contains(r#""saw":"ended","verb":"migrate","#) {
            line.replace(r#""end":"done""#, &refused) + "\n"
        } else if line.starts_with(r#"{"saw":"end""#) {
            // As earlier versions ended it, without a proof of what comes before.
            "{\"saw\":\"end\"}\n".to_owned()
        } else {
            line.to_owned() + "\n"
        }
    });
    fs::write(history, lines.collect::<String>()).expect("there is room");
}
