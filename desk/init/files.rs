//! The files that are written: all or none.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::ENVOY_FILE;

/// A folder with what has been written to it. What is new there goes away again unless it is kept.
pub(super) struct Files {
    folder: PathBuf,
    /// Whether nothing may be there yet.
    is_new: bool,
    /// What was made, in this order.
    made: Vec<PathBuf>,
    made_folder: bool,
}

impl Files {
    /// Nothing is written yet.
    pub(super) fn at(folder: &Path, is_new: bool) -> Self {
        Self {
            folder: folder.to_owned(),
            is_new,
            made: Vec::new(),
            made_folder: false,
        }
    }

    /// Whether none of these is there, a link that leads nowhere neither.
    pub(super) fn must_not_be(&self, names: &[&str]) -> Result<(), String> {
        let mut places = names.iter().map(|name| self.folder.join(name));
        match places.find(|place| place.symlink_metadata().is_ok()) {
            None => Ok(()),
            Some(there) => Err(format!(
                "{} is there already. --force writes all anew, the issuer's key too; --envoy-only writes \
                 {ENVOY_FILE} alone, with the policy that is there",
                there.display()
            )),
        }
    }

    /// Makes the folder, if it is missing, and gives its whole path.
    pub(super) fn make_folder(&mut self) -> Result<PathBuf, String> {
        let shown = self.folder.display().to_string();
        if self.folder.exists() && !self.folder.is_dir() {
            return Err(format!("{shown}: found a file, expected a folder"));
        }
        let was_there = self.folder.is_dir();
        fs::create_dir_all(&self.folder)
            .map_err(|error| format!("{shown} can't be made: {error}"))?;
        self.made_folder = !was_there;
        let whole = self.folder.canonicalize();
        self.folder = whole.map_err(|error| format!("{shown}: {error}"))?;
        Ok(self.folder.clone())
    }

    /// Writes a file in the way that is given.
    pub(super) fn write(
        &mut self,
        name: &str,
        how: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<(), String> {
        let file = self.folder.join(name);
        let was_there = file.symlink_metadata().is_ok();
        let written = how(&file);
        let came_first = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
        if !was_there && !written.as_ref().is_err_and(came_first) {
            self.made.push(file.clone());
        }
        written.map_err(|error| format!("{} can't be written: {error}", file.display()))
    }

    /// Writes a text.
    pub(super) fn write_text(&mut self, name: &str, text: &str) -> Result<(), String> {
        let mut options = OpenOptions::new();
        options.write(true);
        match self.is_new {
            true => options.create_new(true),
            false => options.create(true).truncate(true),
        };
        self.write(name, |file| options.open(file)?.write_all(text.as_bytes()))
    }

    /// What was written stays.
    pub(super) fn keep(&mut self) {
        self.made.clear();
        self.made_folder = false;
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for file in &self.made {
            let _ = fs::remove_file(file);
        }
        if self.made_folder {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}
