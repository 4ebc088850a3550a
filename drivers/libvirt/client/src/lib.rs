//! What a client process and its driver say to each other. Links nothing but `serde`.

pub mod protocol;
pub mod wire;
