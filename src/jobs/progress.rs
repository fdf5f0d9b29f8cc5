//! How a job says how far it is; the terminal decides what becomes of it.

/// Told of each stretch of long work.
pub trait Progress: Send + Sync {
    /// A stretch begins: its name, and how many steps it has, if that is known.
    fn begin(&self, what: &'static str, steps: Option<u64>);
    /// One step is done.
    fn advance(&self);
    /// The stretch is over.
    fn end(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &'static str, _: Option<u64>) {}
    fn advance(&self) {}
    fn end(&self) {}
}
