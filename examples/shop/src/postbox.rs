//! Stands for a mail server: a folder with a file for each mail.

use std::path::PathBuf;
use std::{fs, io};

use shop_notifications::Mailer;

/// A folder that mail goes into.
#[derive(Clone, Debug)]
pub struct Postbox {
    folder: PathBuf,
}

impl Postbox {
    /// A postbox in a folder, which is made if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// The mails in it, as `recipient: text`, in the order of the alphabet.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn mails(&self) -> io::Result<Vec<String>> {
        let mut mails = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "mail") {
                mails.push(fs::read_to_string(path)?);
            }
        }
        mails.sort();
        Ok(mails)
    }
}

impl Mailer for Postbox {
    /// A second mail with the same key takes the place of the first one. It is there as a whole, or not at all.
    fn send(&self, key: &str, recipient: &str, text: &str) -> io::Result<()> {
        let name = key.replace('/', "-");
        let draft = self.folder.join(format!("{name}.draft"));
        fs::write(&draft, format!("{recipient}: {text}"))?;
        fs::rename(draft, self.folder.join(format!("{name}.mail")))
    }
}
