//! Integration tests, one module per behaviour.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod night;
mod support;
