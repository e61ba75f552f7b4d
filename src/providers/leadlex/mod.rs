//! LeadLex: the keys of a workspace, as the vendor documents them. Creating, listing and revoking are all it offers.

pub(crate) mod client;
pub(crate) mod routes;
pub(crate) mod rules;
mod wire;
