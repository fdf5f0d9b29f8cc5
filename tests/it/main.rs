//! Integration tests, one module per behaviour.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod check;
mod demo;
mod night;
mod show;
mod support;
