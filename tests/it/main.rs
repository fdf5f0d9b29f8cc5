//! Integration tests, one module per behaviour.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod bindings;
mod check;
mod cli;
mod codes;
mod contract;
mod counter;
mod demo;
mod killed;
mod later;
mod layout;
mod matching;
mod merchant;
mod night;
mod openapi;
mod people;
mod plain_http;
mod platform;
mod pull;
mod sandbox;
mod secrets;
mod show;
mod support;
