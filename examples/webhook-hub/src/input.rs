//! Where webhooks come from: lines of files, of standard input, or of the data in the program.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use hub_github::MAX_PAYLOAD;

static COMMITTED: &[u8] = include_bytes!("../data/github-webhooks.jsonl");

/// One input, read line by line.
pub(crate) struct Input {
    pub(crate) name: String,
    /// How many bytes it has, if that is known beforehand.
    pub(crate) size: Option<u64>,
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
}

/// A line of an input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Without its end.
    Text(&'a [u8]),
    /// More than [`MAX_PAYLOAD`] bytes: skipped, not read into memory.
    TooLong,
}

impl Input {
    /// The webhooks that come with the program.
    pub(crate) fn committed() -> Self {
        Self::new("github-webhooks.jsonl", Some(COMMITTED.len() as u64), COMMITTED)
    }

    /// The file at `path`, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::new("standard input", None, BufReader::new(io::stdin())));
        }
        // Opening a directory succeeds on some systems and fails only when it is read.
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self::new(&path.display().to_string(), size, BufReader::new(File::open(path)?)))
    }

    fn new(name: &str, size: Option<u64>, reader: impl BufRead + 'static) -> Self {
        Self { name: name.to_owned(), size, reader: Box::new(reader), line: Vec::new() }
    }

    /// The next line and how many bytes of the input it took up; `None` at the end.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<(Line<'_>, u64)>> {
        self.line.clear();
        let mut taken = self.reader.by_ref().take(MAX_PAYLOAD + 1).read_until(b'\n', &mut self.line)? as u64;
        if taken == 0 {
            return Ok(None);
        }
        if let Some(text) = self.line.strip_suffix(b"\n") {
            return Ok(Some((Line::Text(text), taken)));
        }
        if taken <= MAX_PAYLOAD {
            return Ok(Some((Line::Text(&self.line), taken)));
        }
        taken += self.reader.skip_until(b'\n')? as u64;
        Ok(Some((Line::TooLong, taken)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static [u8]) -> Vec<Option<usize>> {
        let mut input = Input::new("test", None, text);
        let mut lengths = Vec::new();
        while let Some((line, _)) = input.next_line().unwrap() {
            lengths.push(match line {
                Line::Text(text) => Some(text.len()),
                Line::TooLong => None,
            });
        }
        lengths
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"one\n\nthree"), [Some(3), Some(0), Some(5)]);
    }

    #[test]
    fn only_lines_beyond_the_limit_are_skipped() {
        let limit = usize::try_from(MAX_PAYLOAD).unwrap();
        let mut text = vec![b'x'; limit];
        text.extend(b"\nshort\n");
        text.resize(text.len() + limit + 1, b'y');
        text.extend(b"\nshort\n");
        assert_eq!(lines(text.leak()), [Some(limit), Some(5), None, Some(5)]);
    }
}
