//! Integration tests, one module per behaviour.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod demo;
mod night;
mod support;
