//! Pending
pub fn doctor()->bool{true}
