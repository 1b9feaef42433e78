//! The only way to write: a change and its custody record in one commit.
