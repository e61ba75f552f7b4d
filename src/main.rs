//! Hands the arguments to [`keys::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    keys::run(std::env::args_os())
}
