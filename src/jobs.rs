//! The jobs, a file each: load, decide, apply.

pub mod evidence;
pub mod exceptions;
pub mod inbox;
pub mod init;
pub mod notify;
pub mod progress;
pub mod pull;
