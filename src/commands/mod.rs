//! One file per verb: its arguments, whose doc comments are its help, and the one function that runs it.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod complete;
pub(crate) mod completions;
pub(crate) mod create;
pub(crate) mod credits;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod help;
pub(crate) mod hold;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod lookup;
pub(crate) mod man;
pub(crate) mod perms;
pub(crate) mod profile;
pub(crate) mod reactivate;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod rotation;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod usage;
pub(crate) mod whoami;
