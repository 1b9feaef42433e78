//! The database: the trait, its implementations, the seal of a row.
