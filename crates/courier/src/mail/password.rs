//! The password for the mail server: read from its file for every mail, and forgotten behind it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use zeroize::Zeroizing;

use super::Error;

const OTHERS: u32 = 0o007;

/// The first line of a file that is not everybody's.
pub(super) fn read(file: &Utf8Path) -> Result<Zeroizing<String>, Error> {
    let (mode, text) = look(file).map_err(|source| Error::Password {
        file: file.to_owned(),
        source,
    })?;
    if mode & OTHERS != 0 {
        let file = file.to_owned();
        return Err(Error::PasswordIsPublic { file });
    }
    match text.lines().next() {
        None | Some("") => Err(Error::NoPassword {
            file: file.to_owned(),
        }),
        Some(line) => Ok(Zeroizing::new(line.to_owned())),
    }
}

/// The mode is that of the file that is read, whatever stands under its name afterwards.
fn look(file: &Utf8Path) -> io::Result<(u32, Zeroizing<String>)> {
    let mut opened = File::open(file)?;
    let mut text = Zeroizing::new(String::new());
    opened.read_to_string(&mut text)?;
    Ok((opened.metadata()?.mode(), text))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use camino::Utf8PathBuf;
    use tempfile::TempDir;

    use super::*;

    fn written(folder: &TempDir, text: &str, mode: u32) -> Utf8PathBuf {
        let file = folder.path().join("password");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        file.try_into().unwrap()
    }

    #[test]
    fn the_first_line_is_the_password() {
        let folder = TempDir::new().unwrap();
        for (text, mode) in [("a b\n", 0o600), ("a b", 0o640), ("a b\r\nnote\n", 0o440)] {
            let file = written(&folder, text, mode);
            assert_eq!(*read(&file).unwrap(), "a b");
            fs::remove_file(file).unwrap();
        }
    }

    #[test]
    fn a_file_that_everybody_can_read_is_refused_with_what_to_do() {
        let folder = TempDir::new().unwrap();
        let file = written(&folder, "shh", 0o604);
        let error = read(&file).unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("run: chmod o= '{file}'")),
            "{error}"
        );
        assert!(!error.contains("shh"));
    }

    #[test]
    fn a_file_without_a_password_is_none() {
        let folder = TempDir::new().unwrap();
        let file = written(&folder, "\nx", 0o600);
        assert!(matches!(read(&file), Err(Error::NoPassword { .. })));
        let nowhere = file.with_file_name("nowhere");
        assert!(matches!(read(&nowhere), Err(Error::Password { .. })));
    }
}
