//! The command: parse, load, run, print the error chain once, exit code.

fn main() {}
