//! What has to be said to the disk so that a crash of the machine takes nothing back.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// The folder that `path` is in.
pub(super) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        // `..` and `/` have no name, so nothing can be written there: any folder will do.
        _ => Path::new("."),
    }
}

/// Puts the names in a folder on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network file systems keep folders by themselves and refuse the question.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Puts a file, or a folder with all that is in it, on the disk.
pub(super) fn sync_tree(path: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_tree(&entry?.path())?;
        }
        sync_folder(path)
    } else if kind.is_file() {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

/// Makes a folder with its parents, which may be there or be made by others meanwhile.
pub(super) fn make_folders(folder: &Path, durable: bool) -> io::Result<()> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut at = folder;
    while !at.as_os_str().is_empty() && !at.is_dir() {
        missing.push(at.to_owned());
        at = match at.parent() {
            Some(parent) => parent,
            None => break,
        };
    }
    for folder in missing.iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(error),
            Ok(()) if durable => sync_folder(parent_of(folder))?,
            Ok(()) => {}
        }
    }
    Ok(())
}
