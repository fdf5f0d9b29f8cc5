//! Integration tests, one module per behaviour.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod cli;
mod demo;
mod killed;
mod layout;
mod matching;
mod merchant;
mod night;
mod secrets;
mod people;
mod support;
