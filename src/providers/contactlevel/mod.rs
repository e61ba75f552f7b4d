//! ContactLevel: the keys of an organisation. The vendor documents what keys are and what its settings page does with them,
//! and no way to manage them over HTTP: those routes are ours, in the vendor's style.

pub(crate) mod client;
pub(crate) mod routes;
pub(crate) mod rules;
mod wire;
