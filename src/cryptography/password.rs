//! What a password is known by: Argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};

use super::Error;

/// The bytes of a result.
pub const PASSWORD_HASH: usize = 32;

/// What Argon2id is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2id {
    /// The memory, in KiB.
    pub memory_kib: u32,
    /// How often it goes over that memory.
    pub passes: u32,
    /// In how many lanes.
    pub lanes: u32,
}

impl Argon2id {
    /// What new passwords are hashed with: 19 MiB, two passes, one lane, the least that OWASP's cheat sheet on the storage of
    /// passwords asks for.
    pub const USUAL: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };

    /// The most memory that is taken for one, in KiB: what a row says is not more than this machine can give.
    const MOST_MEMORY_KIB: u32 = 1024 * 1024;

    /// What this password is known by. Takes tens of milliseconds, and the memory.
    ///
    /// # Errors
    /// Numbers that Argon2id does not take, a salt that is too short.
    pub fn hash(self, password: &[u8], salt: &[u8]) -> Result<[u8; PASSWORD_HASH], Error> {
        let unfit = |error: argon2::Error| Error::unsupported(format!("Argon2id: {error}"));
        if self.memory_kib > Self::MOST_MEMORY_KIB {
            return Err(Error::unsupported(format!(
                "Argon2id with {} KiB of memory",
                self.memory_kib
            )));
        }
        let parameters = Params::new(self.memory_kib, self.passes, self.lanes, Some(PASSWORD_HASH));
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters.map_err(unfit)?);
        let mut hash = [0; PASSWORD_HASH];
        argon2
            .hash_password_into(password, salt, &mut hash)
            .map_err(unfit)?;
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `argon2 somesalt -id -t 2 -m 16 -p 1 -l 32` of the reference implementation, whose test suite has it.
    #[test]
    fn the_reference_implementation_s_hash_comes_out() {
        let parameters = Argon2id {
            memory_kib: 1 << 16,
            passes: 2,
            lanes: 1,
        };
        assert_eq!(
            hex::encode(parameters.hash(b"password", b"somesalt").unwrap()),
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        );
    }

    #[test]
    fn a_row_does_not_make_the_server_take_all_memory() {
        let parameters = Argon2id {
            memory_kib: u32::MAX,
            ..Argon2id::USUAL
        };
        assert!(parameters.hash(b"password", b"somesalt").is_err());
    }
}
