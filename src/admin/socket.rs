//! The socket of the administration interface: made for its owner alone, and removed at the end.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tokio::net::UnixListener;

use super::{Admitted, Error};

/// Longer paths do not fit `sockaddr_un`.
const PATH_LIMIT: usize = 107;

/// A listening socket at a path, mode 0600. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, so that another server's socket at the same path is left alone.
    file: (u64, u64),
}

impl Socket {
    /// Listens at `path`. The socket that a dead server left behind is replaced.
    ///
    /// Its folder is made, mode 0700, where it is missing. It must be called in a tokio runtime.
    /// [`Error::SocketInUse`] where a server answers there, [`Error::NotASocket`] where another file is.
    pub fn bind(path: &Path) -> Result<Self, Error> {
        let length = path.as_os_str().len();
        if length > PATH_LIMIT {
            return Err(Error::SocketPathTooLong {
                path: path.to_owned(),
                length,
                limit: PATH_LIMIT,
            });
        }
        let failed = |source| Error::Socket {
            path: path.to_owned(),
            source,
        };
        make_folder(path).map_err(failed)?;
        remove_stale(path)?;
        let listener = bind_for_owner(path).map_err(failed)?;
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            file: (metadata.dev(), metadata.ino()),
        })
    }

    /// Lets any user of this machine connect, where others than the server's own user are admitted: who connects is then
    /// judged by what the kernel says of them alone.
    pub fn open_to(&self, admitted: &Admitted) -> Result<(), Error> {
        if !admitted.has_others() {
            return Ok(());
        }
        fs::set_permissions(&self.path, Permissions::from_mode(0o666)).map_err(|source| Error::Socket {
            path: self.path.clone(),
            source,
        })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn listener(&self) -> &UnixListener {
        &self.listener
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.file);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the administration socket stays behind");
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
        }
        _ => Ok(()),
    }
}

fn remove_stale(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Socket {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(Error::NotASocket {
                path: path.to_owned(),
            });
        }
        Ok(_) => {}
    }
    match BlockingStream::connect(path) {
        Ok(_) => Err(Error::SocketInUse {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            tracing::info!(path = %path.display(), "replacing the administration socket of a server that is gone");
            fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Binds beside the path and renames, so that the socket is never there with a mode for others.
fn bind_for_owner(path: &Path) -> io::Result<UnixListener> {
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    fs::set_permissions(
        &beside,
        Permissions::from_mode(Mode::RUSR.union(Mode::WUSR).bits()),
    )?;
    fs::rename(&beside, path)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_other_user_can_open_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/admin.sock");
        let socket = Socket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777,
            0o700
        );
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_socket_of_a_dead_server_is_replaced_and_that_of_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        drop(UnixListener::bind(&path).unwrap());
        let live = Socket::bind(&path).unwrap();
        assert!(matches!(Socket::bind(&path), Err(Error::SocketInUse { .. })));
        drop(live);
        Socket::bind(&path).unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_not_a_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious");
        fs::write(&path, "data").unwrap();
        assert!(matches!(Socket::bind(&path), Err(Error::NotASocket { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"data");
    }

    #[tokio::test]
    async fn a_path_that_no_socket_can_have_is_refused_with_its_length() {
        let path = PathBuf::from(format!("/tmp/{}", "x".repeat(120)));
        assert!(matches!(
            Socket::bind(&path),
            Err(Error::SocketPathTooLong { length: 125, .. })
        ));
    }
}
