//! Files for programs that know nothing of stores: copies to read, and paths to write to.
//!
//! They are in the system's folder for temporary files, where only their owner can look into them. What
//! a killed process leaves there is removed by the next one that has such a file.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::temporary::TemporaryFolder;
use crate::{BoxError, ReadWrite, TargetError};

/// The content of a target as a file of this machine, for a program that reads files.
///
/// The file goes away with this value. Of a target that is a file of this machine it is that file, which stays.
#[derive(Debug)]
pub struct LocalCopy {
    path: PathBuf,
    _folder: Option<TemporaryFolder>,
}

impl LocalCopy {
    /// The file itself, which is there.
    pub(crate) fn of_file(path: &Path) -> Result<Self, TargetError> {
        let there = path.metadata();
        there.map_err(TargetError::io("read", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            _folder: None,
        })
    }

    /// A copy of what is in a store, of this name. `plain` gives the content as it is stored.
    pub(crate) fn of_stored(plain: &dyn ReadWrite, name: &str) -> Result<Self, TargetError> {
        let mut content = plain.reader()?;
        let folder = scratch(name).map_err(TargetError::io("read", plain))?;
        let path = folder.inner();
        File::create(&path)
            .and_then(|mut file| io::copy(&mut content, &mut file))
            .map_err(TargetError::io("read", plain))?;
        Ok(Self {
            path,
            _folder: Some(folder),
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for LocalCopy {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

/// Hands `fill` a path with this name, and stores the file that it makes there. `plain` takes the content as
/// it is to be stored.
pub(crate) fn temporary_path<T>(
    plain: &dyn ReadWrite,
    name: &str,
    fill: impl FnOnce(&Path) -> Result<T, BoxError>,
) -> Result<T, TargetError> {
    let folder = scratch(name).map_err(TargetError::io("write", plain))?;
    let path = folder.inner();
    let failed = |source| TargetError::Fill {
        target: plain.to_string(),
        source,
    };
    let value = fill(&path).map_err(failed)?;
    match path.metadata() {
        Ok(made) if made.is_file() => {}
        Ok(_) => return Err(failed(
            "what was made at the temporary path is no file, and only a file is stored as a whole"
                .into(),
        )),
        Err(_) => return Err(failed("nothing was made at the temporary path".into())),
    }
    if plain.exists()? {
        return Err(TargetError::Exists {
            action: "write",
            target: plain.to_string(),
        });
    }
    let mut file = File::open(&path).map_err(TargetError::io("write", plain))?;
    let mut writer = plain.writer()?;
    io::copy(&mut file, &mut writer).map_err(TargetError::io("write", plain))?;
    writer.commit()?;
    Ok(value)
}

fn scratch(name: &str) -> io::Result<TemporaryFolder> {
    let name = match name {
        "" => OsString::from("content"),
        name => name.into(),
    };
    TemporaryFolder::new(&env::temp_dir().join(name), false)
}
