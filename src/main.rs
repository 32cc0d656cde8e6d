//! Reads the command line, runs one command, sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    order_api::cli::main()
}
