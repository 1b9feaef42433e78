//! Who is at the other end of the administration socket, as the kernel says, and whether that may be.

use std::sync::Arc;

use tokio::net::UnixStream;

use super::Error;

/// The process at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its user identifier.
    pub uid: u32,
    /// The name of that user, or `uid N` where the system knows none.
    pub user: String,
}

/// The users that may administer the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    server: u32,
    others: Arc<[u32]>,
}

impl Admitted {
    /// The user that this process runs as, and root.
    pub fn own_user() -> Self {
        Self {
            server: rustix::process::geteuid().as_raw(),
            others: Arc::default(),
        }
    }

    /// The same, and these users, by name or number.
    ///
    /// Fails with [`Error::NoSuchUser`] where the system knows none of that name.
    pub fn with(self, users: &[String]) -> Result<Self, Error> {
        let others = users.iter().map(|user| {
            if let Ok(uid) = user.parse() {
                return Ok(uid);
            }
            match nix::unistd::User::from_name(user) {
                Ok(Some(found)) => Ok(found.uid.as_raw()),
                Ok(None) | Err(_) => Err(Error::NoSuchUser { user: user.clone() }),
            }
        });
        Ok(Self {
            others: others.collect::<Result<_, _>>()?,
            ..self
        })
    }

    /// Whether there are others than the server's own user and root.
    pub(super) fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whether a process of the user `uid` may administer the server.
    pub fn admits(&self, uid: u32) -> bool {
        uid == 0 || uid == self.server || self.others.contains(&uid)
    }
}

impl Peer {
    /// This process, as it would be seen. The name may be looked up over the network.
    pub fn own() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let user = user_name(uid);
        Self { uid, user }
    }

    /// Asks the kernel who is at the other end of `stream`, and the system for the user's name.
    ///
    /// The name may be looked up over the network; this must not hold up the thread.
    pub async fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let uid = stream.peer_cred()?.uid();
        let user = tokio::task::spawn_blocking(move || user_name(uid))
            .await
            .map_err(std::io::Error::other)?;
        Ok(Self { uid, user })
    }
}

fn user_name(uid: u32) -> String {
    match nix::unistd::User::from_uid(uid.into()) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => format!("uid {uid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_user_of_the_machine_is_not_an_administrator() {
        let admitted = Admitted {
            server: 990,
            others: [991].into(),
        };
        assert!(admitted.admits(0));
        assert!(admitted.admits(990));
        assert!(admitted.admits(991));
        assert!(!admitted.admits(1000));
        assert!(!admitted.admits(u32::MAX));
    }

    #[test]
    fn a_user_of_the_configuration_that_does_not_exist_stops_the_start() {
        let named = |user: &str| Admitted::own_user().with(&[user.to_owned()]);
        assert!(named("root").unwrap().admits(0));
        assert!(named("4711").unwrap().admits(4711));
        assert!(matches!(
            named("nobody of that name"),
            Err(Error::NoSuchUser { .. })
        ));
    }

    #[test]
    fn a_user_that_the_system_does_not_know_is_recorded_by_number() {
        assert_eq!(user_name(0), "root");
        assert_eq!(user_name(3_999_999_999), "uid 3999999999");
    }

    #[tokio::test]
    async fn the_kernel_says_who_the_peer_is() {
        let (here, _there) = UnixStream::pair().unwrap();
        assert_eq!(
            Peer::of(&here).await.unwrap().uid,
            rustix::process::geteuid().as_raw()
        );
    }
}
