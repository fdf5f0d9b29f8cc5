//! etcp-recon reconciles a parking merchant's payments with the ETCP open platform.
//!
//! Reading order: [`model`] (the words), [`recon`] (the rules), [`bills`] (bytes → rows),
//! [`etcp`] (the platform), [`notify`] (telling it of payments), then, with the feature `app`,
//! `store`, `report`, `push` (what the platform tells us), `jobs`, `sandbox`, `config` and `cli`.
//!
//! Data goes load → decide → apply: `jobs` load and apply, deciding is pure.
//! `main → cli, config → jobs → push → recon, bills, etcp, store, notify, report → model → nothing of ours`.
//!
//! - **`model` and `recon` do no IO**: no files, network, environment, clock, randomness.
//! - **Only `store` holds SQL; only `etcp::client`, `report::mail`, `push` and `sandbox` open sockets; only `config` reads the environment.**
//! - **Nothing is sent before what it will be is durable.**
//! - **A push never causes a send**: `notify` and `jobs::notify` know nothing of events.

pub mod bills;
pub mod clock;
pub mod etcp;
pub mod model;
pub mod notify;
pub mod recon;

#[cfg(feature = "app")]
pub mod cli;
#[cfg(feature = "app")]
pub mod config;
#[cfg(feature = "app")]
pub mod jobs;
#[cfg(feature = "app")]
pub mod push;
#[cfg(feature = "app")]
pub mod report;
#[cfg(feature = "app")]
pub mod sandbox;
#[cfg(feature = "app")]
pub mod store;
