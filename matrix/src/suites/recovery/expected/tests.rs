//! The table, held to what is written out by hand.
