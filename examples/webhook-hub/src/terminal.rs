//! What is written to standard output and standard error.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints to standard output; a reader that has seen enough, such as `head`, is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Says what is wrong on standard error; where that cannot be written, the exit code has to do.
pub(crate) fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "{}", printable(&what.to_string()));
}

/// Much of the output quotes what strangers have written: it may break lines, but not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    let harmless = |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(harmless).collect()
}
