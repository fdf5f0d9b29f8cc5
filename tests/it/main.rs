//! Integration tests, one module per behaviour.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod bills;
mod bindings;
mod check;
mod cli;
mod codes;
mod contract;
mod counter;
mod demo;
mod events;
mod exceptions;
mod killed;
mod later;
mod layout;
mod mail_server;
mod matching;
mod merchant;
mod month;
mod night;
mod openapi;
mod people;
mod plain_http;
mod platform;
mod pull;
mod push;
mod push_command;
mod pusher;
mod reporting;
mod sandbox;
mod secrets;
mod show;
mod storm;
mod support;
