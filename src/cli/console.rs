//! The terminal, or the pipe: what may be coloured, where progress is drawn, how the answer gets out.

use std::io::{self, BufRead, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use indicatif::{MultiProgress, ProgressDrawTarget};

use super::args::{Color, Global};

/// Where the answer, the progress and the questions go.
pub struct Console {
    /// Everything that draws on standard error.
    pub bars: MultiProgress,
    /// Whether people watch standard error.
    pub watched: bool,
    /// Whether nothing but errors is wanted.
    pub quiet: bool,
    terminal: bool,
}

impl Console {
    /// As the user wants it. Sets the colours of the whole process.
    pub fn new(global: &Global) -> Self {
        match global.color {
            // Left to anstream: terminal, NO_COLOR, CLICOLOR, TERM.
            Color::Auto => {}
            Color::Always => ColorChoice::Always.write_global(),
            Color::Never => ColorChoice::Never.write_global(),
        }
        let watched = io::stderr().is_terminal();
        let quiet = global.quiet > 0;
        let target = if watched && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        Self { bars, watched, quiet, terminal: io::stdout().is_terminal() }
    }

    /// Whether the answer goes to a terminal.
    pub const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        self.watched && io::stdin().is_terminal()
    }

    /// Prints the answer.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn print(text: &str) -> anyhow::Result<()> {
        let mut out = Answer::new();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
    }

    /// Prints an answer that is no text of ours: byte for byte, whatever is wanted of colours.
    ///
    /// # Errors
    /// As [`Console::print`].
    pub fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.context("cannot write to standard output"),
        }
    }

    /// Prints one JSON document.
    ///
    /// # Errors
    /// As [`Console::print`].
    pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        Self::print(&text)
    }

    /// Says something beside the answer, unless it is to be quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.tell(text);
        }
    }

    /// Says something beside the answer that nobody may miss.
    pub fn tell(&self, text: &str) {
        // Where standard error is gone nobody can be told, and the work goes on.
        self.bars.suspend(|| writeln!(anstream::stderr(), "{text}").ok());
    }

    /// Asks a question on the terminal; only `y` and `yes` agree.
    ///
    /// # Errors
    /// When the answer cannot be read.
    pub fn ask(question: &str) -> anyhow::Result<bool> {
        let answer = Self::ask_text(&format!("{question} [y/N] "))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes" | "是"))
    }

    /// Asks on the terminal for a line of text, which is trimmed.
    ///
    /// # Errors
    /// When the answer cannot be read.
    pub fn ask_text(question: &str) -> anyhow::Result<String> {
        let mut stderr = anstream::stderr();
        write!(stderr, "{question}")?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
        Ok(answer.trim().to_owned())
    }
}

/// Standard output. A reader that went away (`| head`) is no error: what nobody reads is dropped.
pub struct Answer(AutoStream<io::Stdout>);

impl Answer {
    /// Standard output with colours only where they are wanted.
    pub fn new() -> Self {
        Self(anstream::stdout())
    }
}

impl Write for Answer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Standard error for log lines, which must not tear progress bars.
#[derive(Clone)]
pub struct BesideBars(pub MultiProgress);

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether log lines may be coloured.
pub fn stderr_has_colors() -> bool {
    !matches!(AutoStream::choice(&io::stderr()), ColorChoice::Never)
}
