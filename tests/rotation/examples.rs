//! The examples of the README, as far as they can be run here.
