//! Histories that tests change: they prove no more what they held.

/// A history with the end that earlier versions wrote, which proves nothing of what comes before it: that may
/// be changed.
pub fn unsealed(history: &str) -> String {
    let lines = history.split_inclusive('\n').map(|line| {
        if line.starts_with(r#"{"saw":"end""#) && line.ends_with("}\n") {
            "{\"saw\":\"end\"}\n"
        } else {
            line
        }
    });
    lines.collect()
}
