//! Root keys: the trait, and its backends.
