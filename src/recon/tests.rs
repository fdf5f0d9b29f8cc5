//! The rules, three times over: as cases in text, as a naive matcher, as properties that compare the two.
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod cases;
mod files;
mod naive;
mod properties;
mod world;
