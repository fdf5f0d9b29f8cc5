//! The jobs, a file each: load, decide, apply.

pub mod bindings;
pub mod check;
pub mod demo;
pub mod events;
pub mod evidence;
pub mod exceptions;
pub mod inbox;
pub mod init;
pub mod mailing;
pub mod match_files;
pub mod notify;
pub mod outage;
pub mod people;
pub mod platform;
pub mod platform_calls;
pub mod preview;
pub mod progress;
pub mod pull;
pub mod push;
pub mod report_data;
pub mod roster;
pub mod run;
pub mod show;
pub mod sources;
pub mod summary;
