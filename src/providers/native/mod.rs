//! The native provider: the API of `keys serve`, everything the vendors' documents describe in one clean contract.

pub(crate) mod client;
pub(crate) mod routes;
pub(crate) mod rules;
#[cfg(test)]
mod tests;
mod wire;
