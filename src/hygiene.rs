//! What a crash leaves behind: nothing that could hold a secret. No core file, no memory that another process of the same
//! user could look into, and no words of a panic, whose payload may quote anything.

use std::io::Write as _;
use std::panic::{self, AssertUnwindSafe};

use crate::exit::Exit;

/// Takes the precautions, runs the program, and turns a panic into the exit code of a fault of ours.
pub(crate) fn run(program: impl FnOnce() -> Exit) -> Exit {
    leave_no_core();
    panic::set_hook(Box::new(|panic| say(panic.location())));
    guarded(program)
}

fn guarded(program: impl FnOnce() -> Exit) -> Exit {
    panic::catch_unwind(AssertUnwindSafe(program)).unwrap_or(Exit::Internal)
}

/// Commands that are started for a sink inherit the limit; they hold a secret too. A system that refuses has its reasons,
/// and the program is of use all the same.
#[cfg(unix)]
fn leave_no_core() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit does not hold for a core that is piped to a collector.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(not(unix))]
fn leave_no_core() {}

/// Not by the terminal, which may be what panicked.
#[expect(clippy::disallowed_methods, reason = "a panic is said when nothing else is left to say it")]
fn say(place: Option<&panic::Location<'_>>) {
    let _ = writeln!(std::io::stderr(), "{}", words(place));
}

fn words(place: Option<&panic::Location<'_>>) -> String {
    let place = place.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!("error: keys failed at {place}\n\nhint: this is a fault of keys: please report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_ours_and_says_its_place_alone() {
        assert_eq!(guarded(|| panic!("wbk_secret")), Exit::Internal);
        assert_eq!(guarded(|| Exit::NotFound), Exit::NotFound);
        let said = words(Some(panic::Location::caller()));
        assert!(said.starts_with("error: keys failed at src/hygiene.rs:"), "{said}");
    }
}
